#pragma once

#include <string_view>

#include "config/table_reader.h"

namespace pgweir::config {

// Reads those keys of the table that have a meaning but are not served by this version. `section`
// is the kind of table: "admin" or "cache". Only their standard values pass.
void ReadNotServed(std::string_view section, TableReader& reader);

}  // namespace pgweir::config
