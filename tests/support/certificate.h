#pragma once

#include <string>
#include <string_view>

namespace pgweir::test {

// Writes FOLDER/NAME.crt and FOLDER/NAME.key (mode 0600): a self-signed certificate for `host`, an
// address or a name. It is its own authority.
void MakeCertificate(const std::string& folder, std::string_view name, std::string_view host);

}  // namespace pgweir::test
