#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "config/config.h"

namespace pgweir::config {

// Reads a pgweir.toml, or a pgbouncer.ini (see pgbouncer_ini.h). Relative paths in it start at its
// folder. A fault (unknown key, wrong type, value out of range, missing file, a combination that
// can't work) is an error whose message is "FILE:LINE:COLUMN: what is wrong and what would be
// right".
StatusOr<Config> Load(const std::string& path);

// As Load, from text; `path` only names the file in messages and anchors relative paths.
StatusOr<Config> Parse(std::string_view text, const std::string& path);

// Every key of a pgweir.toml that is known, such as "listen.tls.mode" or "databases.NAME.primary".
std::set<std::string> KnownKeys();

// The keys in which `next` differs from `current` and that a reload can't change while serving,
// e.g. "listen.port". The rest of a reload takes effect at once.
std::vector<std::string> NeedRestart(const Config& current, const Config& next);

}  // namespace pgweir::config
