#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/faults.h"
#include "config/toml_document.h"

// The notation that pg_hba.conf and pg_ident.conf share: a record a line, fields between blanks,
// values between commas, '#' starting a comment, quotes taking away a word's special meaning, and a
// backslash at a line's end joining it with the next.

namespace pgweir::config {

// A longer file is refused.
inline constexpr size_t kMaxHbaFileBytes = 4 << 20;

struct HbaToken {
  std::string text;
  bool quoted = false;  // began with a quote: it is a name, no keyword
  Position at;

  bool Is(std::string_view keyword) const { return !quoted && text == keyword; }
};

// At least one value.
using HbaField = std::vector<HbaToken>;

// At least one field.
using HbaRecord = std::vector<HbaField>;

// The records of `text`. What can't be read is put into `faults` and left out.
std::vector<HbaRecord> ScanHbaRecords(std::string_view text, Faults& faults);

}  // namespace pgweir::config
