#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "query-cache/key.h"
#include "query-cache/versions.h"

namespace pgweir::cache {

using RuleId = Id<struct RuleTag>;

// One stored answer. What goes around the rows, such as ParseComplete or ReadyForQuery, is made for
// each client anew.
struct Entry {
  std::string key;  // Key::bytes
  Hash128 hash;
  std::string rows;             // DataRow messages, as they came
  std::string row_description;  // RowDescription's message; "" = the request asked for none
  std::string tag;              // of CommandComplete
  uint64_t row_count = 0;
  // What an operator may flush by.
  DatabaseId database;
  std::vector<TableId> tables;
  uint64_t digest = 0;
  RuleId rule;  // that admitted it
  Reading reading;
  TimePoint sent_at;  // its query; what the rule allows counts from here
  size_t bytes = 0;   // of memory, what the store needs for it included; Seal() counts them
};

// Immutable. Whoever holds one may use its bytes for as long as it likes, evicted or not: a slow
// client's answer is no longer the store's, nor counted there.
using EntryRef = std::shared_ptr<const Entry>;

// Gives back what the strings hold in reserve, and counts the bytes.
EntryRef Seal(Entry entry);

// What malloc takes for `bytes`; nothing for none.
constexpr size_t AllocationBytes(size_t bytes) {
  constexpr size_t kHeader = 8;
  constexpr size_t kLeast = 32;
  constexpr size_t kUnit = 16;
  if (bytes == 0) return 0;
  const size_t rounded = (bytes + kHeader + kUnit - 1) / kUnit * kUnit;
  return rounded < kLeast ? kLeast : rounded;
}

}  // namespace pgweir::cache
