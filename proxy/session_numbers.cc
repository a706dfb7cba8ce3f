// Numbers for columns that INSERTs into sharded tables leave to sequences. They are drawn on the
// node of what isn't divided, before the INSERT goes to its own, on a backend that is taken for
// that moment: a sequence knows no transaction. One that goes to that node itself draws there.

#include <utility>

#include <fmt/format.h>

#include "proxy/session.h"

namespace pgweir::proxy {
namespace {

// A backend may have died while it was idle; a number that was drawn in vain is a gap.
constexpr int kAttempts = 3;

// One statement for each of the sequences, as often as it is drawn from.
class Question {
 public:
  void Add(const router::DrawnNumbers& drawn) {
    for (const auto& value : drawn.values) ++Of(drawn.SequenceOf(value)).count;
  }

  std::string Sql() const {
    std::string sql;
    for (const Sequence& sequence : sequences_) {
      sql += fmt::format("SELECT pg_catalog.nextval('{}') FROM pg_catalog.generate_series(1, {});",
                         sequence.name, sequence.count);
    }
    return sql;
  }

  // Deals the answer's rows out. False when they are not as many.
  bool Take(std::vector<std::string> rows) {
    size_t next = 0;
    for (Sequence& sequence : sequences_)
      sequence.next = std::exchange(next, next + sequence.count);
    rows_ = std::move(rows);
    return rows_.size() == next;
  }
  std::string Next(const std::string& sequence) { return std::move(rows_[Of(sequence).next++]); }

 private:
  struct Sequence {
    std::string name;
    size_t count = 0;
    size_t next = 0;  // in rows_
  };
  Sequence& Of(const std::string& name) {
    for (Sequence& sequence : sequences_) {
      if (sequence.name == name) return sequence;
    }
    return sequences_.emplace_back(Sequence{.name = name});
  }

  std::vector<Sequence> sequences_;
  std::vector<std::string> rows_;
};

}  // namespace

bool Session::NeedsNumbers() const {
  return !sharding_->route.draws.empty() && !sharding_->numbers.by_server;
}

net::Task<bool> Session::DrawNumbers() {
  Question question;
  for (const ShardRoute::Draw& draw : sharding_->route.draws) question.Add(*draw.drawn);
  std::vector<std::string> rows;
  Status drawn = co_await AskForNumbers(question.Sql(), rows);
  if (absl::IsCancelled(drawn)) co_return false;
  if (MustEndNow()) {
    co_await Say(EndReason());
    co_return false;
  }
  if (drawn.ok() && !question.Take(std::move(rows))) {
    drawn = Error(sqlstate::kInternalError, "the sequence gave another number of values");
  }
  if (!drawn.ok()) {
    FinishCancel();
    sharding_->refusal = std::move(drawn);
    co_return true;
  }
  for (ShardRoute::Draw& draw : std::exchange(sharding_->route.draws, {})) {
    NumbersGiven::One& one = sharding_->numbers.statements.emplace_back();
    for (const auto& value : draw.drawn->values) {
      one.numbers.push_back(question.Next(draw.drawn->SequenceOf(value)));
    }
    one.drawn = std::move(draw.drawn);
    one.statement = draw.statement;
  }
  co_return true;
}

// What the session has of its own backend, or is about to have, is another node's.
net::Task<Status> Session::AskForNumbers(std::string question, std::vector<std::string>& numbers) {
  Node* const at = at_;
  const std::shared_ptr<pooler::Pool> pool = pool_;
  const bool reads = std::exchange(reads_, false);
  const std::string node = sharding_->map->NameOf(sharding_->map->default_node());
  Status asked;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    pooler::Lease lease;
    numbers.clear();
    asked = co_await TakeBackendAt(node, lease);
    if (!asked.ok()) break;
    asked = co_await AskOn(lease, question, numbers);
    if (lease && lease->tracker.idle()) lease.Return();
    if (SqlStateOf(asked) != sqlstate::kConnectionFailure) break;
  }
  at_ = at;
  pool_ = pool;
  reads_ = reads;
  co_return asked;
}

// As who the client acts, and with what else it has set.
net::Task<Status> Session::AskOn(pooler::Lease& lease, std::string question,
                                 std::vector<std::string>& numbers) {
  const std::string settings = own_.SettingsFirst(*lease);
  if (!settings.empty()) {
    const auto set = co_await RunOn(lease, settings);
    if (!set.ok()) {
      lease.Discard();
      co_return set.status();
    }
    own_.SettingsDone(*lease);
  }
  const TimePoint until = DeadlineAfter(pool_->limits().query_timeout);
  const auto answered = co_await RunOn(lease, std::move(question), &numbers, until);
  client_.event.SetDeadline(kNoDeadline);
  co_return answered.status();
}

net::Task<bool> Session::BeginWithNumbers(std::string request) {
  if (!co_await DrawNumbers()) co_return false;
  // With nothing begun there is no transaction that it would fail.
  if (!sharding_->refusal.ok() && First().empty()) {
    Reject(wire::AsBytes(request), sharding_->refusal);
    co_return true;
  }
  co_return co_await Obtain(std::move(request), pooler::Lease());
}

net::Task<bool> Session::GoOnWithNumbers(std::string request) {
  if (!co_await DrawNumbers()) {
    co_await CleanUp();
    co_return false;
  }
  const Status refusal = std::exchange(sharding_->refusal, absl::OkStatus());
  if (!refusal.ok()) {
    relay().Refuse(wire::AsBytes(request), refusal);
    co_return true;
  }
  relay().Give(sharding_->numbers, sharding_->part);
  const Relay::Next next = relay().Go(wire::AsBytes(request));
  co_return next != Relay::Next::kViolation || co_await Leave(next);
}

}  // namespace pgweir::proxy
