#pragma once

#include <string>
#include <utility>

#include "query-cache/entry.h"

// Answers for tests: of a name, as many bytes of rows as they like.

namespace pgweir::cache::test {

inline const HashSecret kSecret = {1, 2, 3};  // so that a failure can be had again

inline Key KeyOf(const std::string& name) { return {name, KeyMaker(kSecret).Hash(name)}; }

inline Entry Unsealed(const std::string& name, size_t row_bytes) {
  Entry entry;
  entry.key = name;
  entry.hash = KeyOf(name).hash;
  entry.rows = std::string(row_bytes, 'r');
  entry.row_count = 1;
  entry.tag = "SELECT 1";
  return entry;
}

inline EntryRef Answer(const std::string& name, size_t row_bytes = 100) {
  return Seal(Unsealed(name, row_bytes));
}

}  // namespace pgweir::cache::test
