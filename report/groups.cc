#include "report/groups.h"

#include "report/text.h"

namespace pgweir::report {
namespace {

constexpr size_t kMaxName = 128;
constexpr size_t kMaxShards = 64;

std::string Name(std::string_view text) { return std::string(CutText(text, kMaxName)); }

}  // namespace

Groups::Groups() : list_(1, Group{"(others)", "(others)", {}}) {}

uint32_t Groups::NumberOf(const Statement& statement) {
  key_.assign(statement.database);
  key_ += '\0';
  key_ += statement.user;
  for (const std::string_view shard : statement.shards) {
    key_ += '\0';
    key_ += shard;
  }
  const auto known = numbers_.find(key_);
  if (known != numbers_.end()) return known->second;
  if (list_.size() == kMaxGroups) return kOther;
  Group group{Name(statement.database), Name(statement.user), {}};
  for (const std::string_view shard : statement.shards) {
    if (group.shards.size() < kMaxShards) group.shards.push_back(Name(shard));
  }
  const auto number = static_cast<uint32_t>(list_.size());
  list_.push_back(std::move(group));
  numbers_.emplace(key_, number);
  return number;
}

}  // namespace pgweir::report
