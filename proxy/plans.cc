#include "proxy/plans.h"

#include "base/log.h"
#include "fmt/format.h"
#include "observe/secrets.h"
#include "proxy/bound_parameters.h"
#include "proxy/unattended_backend.h"
#include "proxy/unattended_read.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

using router::StatementKind;

// Digests beyond are not asked for until others' intervals are over.
constexpr size_t kMostDigests = 4096;
constexpr std::chrono::seconds kSweepAfter{1};
// Of a worker at the same time.
constexpr int kMostUnderWay = 2;
constexpr std::chrono::seconds kPatience{2};  // for a spare backend
constexpr std::chrono::seconds kMostTime{5};  // then for all the rest
// Bytes: as the report takes them, and as the server indents them.
constexpr size_t kMostPlan = size_t{32} << 10;
constexpr size_t kMostAnswer = 4 * kMostPlan;

constexpr std::string_view kExplain = "EXPLAIN (FORMAT JSON) ";
// Functions that the planner calls may take their time, or try to write. In milliseconds.
constexpr const char* kBegin =
    "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY NOT DEFERRABLE;"
    "SET LOCAL statement_timeout = 3000; SET LOCAL lock_timeout = 100";

constexpr std::string_view kNoTypes("\0\0", 2);
constexpr std::string_view kNoValues("\0\0\0\0", 4);
constexpr std::string_view kAsText("\0\0", 2);

bool CanBeExplained(const router::Facts& facts) {
  if (facts.statements.size() != 1) return false;
  switch (facts.statements.front().kind) {
    case StatementKind::kSelect:
    case StatementKind::kInsert:
    case StatementKind::kUpdate:
    case StatementKind::kDelete:
    case StatementKind::kMerge:
      return true;
    default:
      return false;
  }
}

// One that was carried out, or took too long to be.
bool WasCarriedOut(const observe::StatementRecord& record) {
  if (record.failed() && record.sqlstate != sqlstate::kQueryCanceled) return false;
  return !record.from_cache() && !record.nodes.empty();
}

std::string RequestFor(const Plans::Slow& statement) {
  const std::string text = fmt::format("{}{}", kExplain, statement.record.text);
  if (!statement.record.extended) {
    return UnnamedBatch(text, kNoTypes, fmt::format("{}{}", kNoValues, kAsText));
  }
  const std::string_view values = ValuesOf(statement.values);
  return UnnamedBatch(text, statement.types, fmt::format("{}{}", values, kAsText));
}

// The answer's only value. Its bytes are the same in text and in binary.
std::string PlanIn(const AnswerCapture& capture) {
  const auto row = wire::ReadDataRow(wire::AsBytes(capture.rows).subspan(wire::kHeaderSize));
  return row.ok() && row->size() == 1 ? row->front().value_or("") : "";
}

net::Task<PlanOutcome> Fetch(UnattendedBackend& backend, pooler::Pool& pool, std::string request,
                             std::string& json) {
  const TimePoint until = Clock::now() + kPatience;
  if (!co_await backend.AwaitSpare(pool, until)) co_return PlanOutcome::kNoBackend;
  backend.SetDeadline(Clock::now() + kMostTime);
  AnswerCapture capture;
  capture.Begin(kMostAnswer, wire::TransactionStatus::kInTransaction);
  if (co_await backend.TakeSettings() && co_await backend.Run(kBegin) &&
      co_await backend.Ask(std::move(request), capture)) {
    co_await backend.Run("ROLLBACK");
  }
  backend.GiveBack();
  if (capture.too_long()) co_return PlanOutcome::kLeftOut;
  if (capture.complete() && capture.row_count == 1) json = PlanIn(capture);
  co_return json.empty() ? PlanOutcome::kFailed : PlanOutcome::kCaptured;
}

}  // namespace

// --- when ---

bool PlanTimes::Begin(const std::string& digest, const pooler::Pool& pool, TimePoint now,
                      Duration interval) {
  const MutexLock lock(mutex_);
  if (busy_.contains(&pool)) return false;
  const auto known = asked_.find(digest);
  if (known != asked_.end()) {
    if (now - known->second < interval) return false;
    known->second = now;
    return busy_.insert(&pool).second;
  }
  if (asked_.size() >= kMostDigests && now - swept_ >= kSweepAfter) {
    swept_ = now;
    absl::erase_if(asked_, [&](const auto& entry) { return now - entry.second >= interval; });
  }
  if (asked_.size() >= kMostDigests) return false;
  asked_.emplace(digest, now);
  return busy_.insert(&pool).second;
}

void PlanTimes::End(const std::string& digest, const pooler::Pool& pool, PlanOutcome outcome) {
  counts_[static_cast<size_t>(outcome)].fetch_add(1, std::memory_order_relaxed);
  const MutexLock lock(mutex_);
  busy_.erase(&pool);
  if (outcome == PlanOutcome::kNoBackend) asked_.erase(digest);
}

// --- what ---

void Plans::Consider(const Slow& statement, PlanSource& source) {
  const observe::StatementRecord& record = statement.record;
  if (under_way_ >= kMostUnderWay) return;
  if (!WasCarriedOut(record) || !CanBeExplained(statement.facts)) return;
  if (record.extended && statement.values.empty()) return;
  PlanSource::Place place = source.PlaceForPlan(record.nodes.front());
  if (place.pool == nullptr) return;
  Question question;
  question.database = record.client->database;
  question.user = record.client->user;
  question.node = record.nodes.front();
  question.pid = record.client->pid;
  question.digest = record.digest;
  question.digest_key =
      fmt::format("{}{}{}{}{:x}", question.database, '\0', question.user, '\0', record.digest);
  const Duration interval = options_->plan_interval;
  if (!times_.Begin(question.digest_key, *place.pool, statement.now, interval)) return;
  // Of an encoding in which a backslash may be half a character no JSON can be made.
  if (observe::MayHoldSecret(record.text) || !place.settings->ascii_superset()) {
    return times_.End(question.digest_key, *place.pool, PlanOutcome::kLeftOut);
  }
  question.request = RequestFor(statement);
  ++under_way_;
  // Whoever told of the statement is in the middle of something, perhaps with its backend in hand.
  worker_.Post([this, place = std::move(place), question = std::move(question)]() mutable {
    net::Spawn(Ask(std::move(place), std::move(question)));
  });
}

net::Task<void> Plans::Ask(PlanSource::Place place, Question question) {
  UnattendedBackend backend(worker_, place.settings);
  std::string json;
  PlanOutcome outcome = co_await Fetch(backend, *place.pool, std::move(question.request), json);
  --under_way_;
  if (outcome == PlanOutcome::kCaptured) outcome = Write(question, json);
  times_.End(question.digest_key, *place.pool, outcome);
  LogDebug("plan asked for digest={:016x} database={} user={} outcome={} error=\"{}\"",
           question.digest, question.database, question.user,
           kPlanOutcomes[static_cast<size_t>(outcome)], MessageOf(backend.error()));
}

// What is written may have been changed since it was asked for.
PlanOutcome Plans::Write(const Question& question, const std::string& json) {
  if (!wanted() || observe::MayHoldSecret(json)) return PlanOutcome::kLeftOut;
  observe::PlanRecord plan;
  plan.database = question.database;
  plan.user = question.user;
  plan.pid = question.pid;
  plan.asked = std::chrono::system_clock::now();
  plan.digest = question.digest;
  plan.node = question.node;
  plan.json = json;
  const std::string_view line = line_.WritePlan(plan);
  if (line.size() > kMostPlan) return PlanOutcome::kLeftOut;
  log_.Submit(line, Clock::now());
  return PlanOutcome::kCaptured;
}

}  // namespace pgweir::proxy
