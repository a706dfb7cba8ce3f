#include "pooler/prepared_statements.h"

#include <fmt/format.h>

namespace pgweir::pooler {

std::string PreparedStatements::NameOf(uint64_t id) { return fmt::format("pgweir_{}", id); }

PreparedStatements::Presence PreparedStatements::Use(uint64_t id, uint64_t batch) {
  const auto it = statements_.find(id);
  if (it == statements_.end()) return Presence::kAbsent;
  Entry& entry = it->second;
  if (entry.age != by_age_.begin()) by_age_.splice(by_age_.begin(), by_age_, entry.age);
  const bool there =
      entry.state == State::kThere || (entry.state == State::kSent && entry.batch == batch);
  return there ? Presence::kThere : Presence::kUnsure;
}

void PreparedStatements::Sent(uint64_t id, uint64_t batch) {
  const bool known = statements_.contains(id);
  Entry& entry = Insert(id);
  entry.may_remain = known;
  entry.state = State::kSent;
  entry.batch = batch;
}

void PreparedStatements::Answered(uint64_t id, bool prepared) {
  if (prepared) {
    Insert(id).state = State::kThere;
    return;
  }
  const auto it = statements_.find(id);
  if (it == statements_.end()) return;
  if (it->second.may_remain) {
    it->second.state = State::kUnsure;
  } else {
    Erase(id);
  }
}

void PreparedStatements::Closing(uint64_t id) {
  const auto it = statements_.find(id);
  if (it != statements_.end()) it->second.state = State::kClosing;
}

void PreparedStatements::Closed(uint64_t id, bool done) {
  const auto it = statements_.find(id);
  if (it == statements_.end() || it->second.state != State::kClosing) return;
  if (done) return Erase(id);
  it->second.state = State::kThere;
}

void PreparedStatements::Doubt(uint64_t id) {
  const auto it = statements_.find(id);
  if (it != statements_.end()) it->second.state = State::kUnsure;
}

PreparedStatements::Entry& PreparedStatements::Insert(uint64_t id) {
  const auto [it, added] = statements_.try_emplace(id);
  if (added) it->second.age = by_age_.insert(by_age_.begin(), id);
  return it->second;
}

void PreparedStatements::Erase(uint64_t id) {
  const auto it = statements_.find(id);
  by_age_.erase(it->second.age);
  statements_.erase(it);
}

void PreparedStatements::Clear() {
  statements_.clear();
  by_age_.clear();
}

uint64_t PreparedStatements::Oldest() const {
  for (auto it = by_age_.rbegin(); it != by_age_.rend(); ++it) {
    if (statements_.at(*it).state == State::kThere) return *it;
  }
  return 0;
}

}  // namespace pgweir::pooler
