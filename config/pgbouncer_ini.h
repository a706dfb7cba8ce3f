#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "config/config.h"
#include "config/ini_document.h"
#include "config/pgbouncer_keys.h"

// PgBouncer's configuration file as it stands: PgBouncer's keys, defaults and rules, read into
// pgweir's own model. docs/from-pgbouncer.md says what becomes of each key.

namespace pgweir::config {

// By its sections, whatever the file is called.
bool IsPgBouncerIni(std::string_view text);

// Faults as the TOML loader tells them; what has no effect here is in the result's `warnings`.
// Relative paths start at the process's folder, as in PgBouncer.
StatusOr<Config> ParsePgBouncerIni(std::string_view text, const std::string& path,
                                   const ReadIncluded& read);

struct PgBouncerKey {
  std::string_view section;
  std::string_view name;
  KeyFate fate;
};
// Every key that is known.
std::vector<PgBouncerKey> PgBouncerKeys();

}  // namespace pgweir::config
