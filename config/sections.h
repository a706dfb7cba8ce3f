#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "config/config.h"
#include "config/table_reader.h"

// One function a table of pgweir.toml. Each takes the reader of its table, puts what is wrong into
// the reader's Faults, and leaves defaults where a key is absent or wrong.

namespace pgweir::config {

// `folder` is where relative paths start.
void ReadListen(TableReader reader, const std::filesystem::path& folder, Listen& listen);
// Also adds the faults of the users file to `faults`.
void ReadAuth(TableReader reader, const std::filesystem::path& folder, Faults& faults, Auth& auth);
void ReadLog(TableReader reader, Log& log);

// The keys of a pool table over `base`.
PoolOverride ReadPool(TableReader& reader, const Pool& base);
// All of [databases], with the pools of those that have none of their own taken from `config`.
void ReadDatabases(TableReader reader, Config& config);
// All of [users]; their pools have to suit each database already in `config`.
void ReadUsers(TableReader reader, Config& config);

}  // namespace pgweir::config
