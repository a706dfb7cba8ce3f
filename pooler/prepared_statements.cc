#include "pooler/prepared_statements.h"

#include <fmt/format.h>

namespace pgweir::pooler {

std::string PreparedStatements::NameOf(uint64_t id) { return fmt::format("{}{}", kPrefix, id); }

PreparedStatements::Presence PreparedStatements::Use(uint64_t id, uint64_t batch) {
  const auto it = statements_.find(id);
  if (it == statements_.end()) return Presence::kAbsent;
  const Entry& entry = it->second;
  if (entry.state == State::kThere && entry.age != by_age_.begin()) {
    by_age_.splice(by_age_.begin(), by_age_, entry.age);
  }
  return IsThere(id, batch) ? Presence::kThere : Presence::kUnsure;
}

bool PreparedStatements::IsThere(uint64_t id, uint64_t batch) const {
  const auto it = statements_.find(id);
  if (it == statements_.end()) return false;
  const Entry& entry = it->second;
  return entry.state == State::kThere || (entry.state == State::kSent && entry.batch == batch);
}

void PreparedStatements::Sent(uint64_t id, uint64_t batch) {
  const bool known = statements_.contains(id);
  Move(id, State::kSent);
  statements_[id].may_remain = known;
  statements_[id].batch = batch;
}

void PreparedStatements::Answered(uint64_t id, bool prepared) {
  if (prepared) return Move(id, State::kThere);
  const auto it = statements_.find(id);
  if (it == statements_.end()) return;
  Move(id, State::kUnsure);
  if (!it->second.may_remain) statements_.erase(it);
}

void PreparedStatements::Closing(uint64_t id) {
  if (statements_.contains(id)) Move(id, State::kClosing);
}

void PreparedStatements::Closed(uint64_t id, bool done) {
  const auto it = statements_.find(id);
  if (it == statements_.end() || it->second.state != State::kClosing) return;
  if (!done) return Move(id, State::kThere);
  statements_.erase(it);
}

void PreparedStatements::Doubt(uint64_t id) {
  if (statements_.contains(id)) Move(id, State::kUnsure);
}

void PreparedStatements::DoubtAll() {
  by_age_.clear();
  for (auto& [id, entry] : statements_) entry.state = State::kUnsure;
}

// Those that are surely there, and no others, are in the list.
void PreparedStatements::Move(uint64_t id, State state) {
  Entry& entry = statements_[id];
  if (entry.state == State::kThere) by_age_.erase(entry.age);
  if (state == State::kThere) entry.age = by_age_.insert(by_age_.begin(), id);
  entry.state = state;
}

void PreparedStatements::Clear() {
  statements_.clear();
  by_age_.clear();
}

uint64_t PreparedStatements::Oldest() const { return by_age_.empty() ? 0 : by_age_.back(); }

}  // namespace pgweir::pooler
