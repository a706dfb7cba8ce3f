#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/strings.h"
#include "report/statement.h"

namespace pgweir::report {

// What statements are filtered by, besides time.
struct Group {
  std::string database, user;
  std::vector<std::string> shards;  // none when no server was asked
};

// Numbers the combinations of database, user and shards that a log has. There are kMaxGroups at
// most: the first is for all that come when the others are taken.
class Groups {
 public:
  static constexpr size_t kMaxGroups = 128;
  static constexpr uint32_t kOther = 0;

  Groups();

  uint32_t NumberOf(const Statement& statement);
  const std::vector<Group>& list() const { return list_; }

 private:
  std::vector<Group> list_;
  absl::flat_hash_map<std::string, uint32_t, StringHash, StringEq> numbers_;
  std::string key_;  // kept for its memory
};

}  // namespace pgweir::report
