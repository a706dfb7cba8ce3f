#pragma once

#include <string>
#include <string_view>

namespace pgweir::wire {

// The form of a password that SCRAM hashes: RFC 4013, "stored string". A password that is no valid
// UTF-8, has a prohibited or unassigned character, or nothing left after the mapping, is used as it
// is, which is what PostgreSQL and libpq do. So is one with non-ASCII characters beyond 1024 bytes.
std::string SaslPrep(std::string_view password);

}  // namespace pgweir::wire
