#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"

// TOML text as a tree of values that know where they stand. The only file that sees the TOML
// library is toml_document.cc.

namespace pgweir::config {

// Counted from 1, columns in characters.
struct Position {
  uint32_t line = 1;
  uint32_t column = 1;
  auto operator<=>(const Position&) const = default;
};

struct TomlEntry;
struct TomlValue;
using TomlTable = std::vector<TomlEntry>;
using TomlArray = std::vector<TomlValue>;
struct TomlMoment {};  // a date or a time, which no key of ours takes

struct TomlValue {
  Position at;
  Position end;  // behind it
  std::variant<TomlTable, TomlArray, std::string, int64_t, double, bool, TomlMoment> value;
};

struct TomlEntry {
  std::string key;
  Position at;  // of the key
  Position key_end;
  TomlValue value;
};

// Null when the table has no such key.
const TomlEntry* FindEntry(const TomlTable& table, std::string_view key);

// The root table. Errors read "FILE:LINE:COLUMN: ..." and show no value.
StatusOr<TomlValue> ParseToml(std::string_view text, const std::string& path);

}  // namespace pgweir::config
