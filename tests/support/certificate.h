#pragma once

#include <string>
#include <string_view>

namespace pgweir::test {

// Writes FOLDER/NAME.crt and FOLDER/NAME.key (mode 0600): a self-signed certificate for `host`, an
// address or a name. It is its own authority.
void MakeCertificate(const std::string& folder, std::string_view name, std::string_view host,
                     std::string_view digest = "sha256");

// Makes FOLDER/NAME.crt one that was good until yesterday.
void ExpireCertificate(const std::string& folder, std::string_view name);

}  // namespace pgweir::test
