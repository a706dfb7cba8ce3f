#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "base/mutex.h"
#include "config/config.h"
#include "net/task.h"
#include "net/worker.h"
#include "observe/slow_log_line.h"
#include "observe/slow_log_writer.h"
#include "observe/statement_record.h"
#include "pooler/pool.h"
#include "router/statement_facts.h"
#include "wire/parameters.h"

namespace pgweir::proxy {

// What became of asking for a plan.
enum class PlanOutcome : uint8_t {
  kCaptured,   // it is a line of the slow-query log, as far as that takes it
  kFailed,     // the server refused it, or took too long
  kNoBackend,  // there was no spare one, so that it will be asked for again
  kLeftOut,    // it was too long, or may hold a password
};
inline constexpr std::array<std::string_view, 4> kPlanOutcomes = {"captured", "failed",
                                                                  "no_backend", "left_out"};

// When each digest's plan was last asked for, by database and user, and what came of it: of all
// workers. Thread-safe.
class PlanTimes {
 public:
  // Whether it is to be asked for now: not within the interval, nor while another is asked for on a
  // backend of that pool. Then End() follows, with the same.
  bool Begin(const std::string& digest, const pooler::Pool& pool, TimePoint now, Duration interval);
  void End(const std::string& digest, const pooler::Pool& pool, PlanOutcome outcome);

  uint64_t count(PlanOutcome outcome) const { return counts_[static_cast<size_t>(outcome)]; }

 private:
  Mutex mutex_;
  absl::flat_hash_map<std::string, TimePoint> asked_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<const pooler::Pool*> busy_ ABSL_GUARDED_BY(mutex_);
  TimePoint swept_ ABSL_GUARDED_BY(mutex_);
  std::array<std::atomic<uint64_t>, kPlanOutcomes.size()> counts_{};
};

// Where the plans of a session's statements are asked for.
class PlanSource {
 public:
  struct Place {
    std::shared_ptr<pooler::Pool> pool;  // null = nowhere
    wire::ParametersRef settings;        // the client's
  };
  virtual Place PlaceForPlan(std::string_view node) = 0;

 protected:
  ~PlanSource() = default;
};

// Asks servers for the plans of one worker's slow statements, and writes them to the slow-query
// log. EXPLAIN carries nothing out, and no client waits for it or for the backend that it takes. On
// the worker's thread.
class Plans {
 public:
  Plans(net::Worker& worker, PlanTimes& times, observe::SlowLogWriter& log)
      : worker_(worker), times_(times), log_(log) {}

  void Use(std::shared_ptr<const config::SlowLog> options) { options_ = std::move(options); }
  bool wanted() const {
    return options_->plans && !options_->path.empty() && options_->redact == config::Redact::kNone;
  }

  // A statement that took too long, whole, and as Parse and Bind have it.
  struct Slow {
    const observe::StatementRecord& record;
    const router::Facts& facts;
    std::string_view types;
    std::string_view values;
    TimePoint now;
  };
  // Asks for its plan, if that can and may be. Only when wanted().
  void Consider(const Slow& statement, PlanSource& source);

 private:
  struct Question {
    std::string digest_key;
    std::string request;
    std::string database, user, node;
    uint32_t pid;
    uint64_t digest;
  };
  net::Task<void> Ask(PlanSource::Place place, Question question);
  PlanOutcome Write(const Question& question, const std::string& json);

  net::Worker& worker_;
  PlanTimes& times_;
  observe::SlowLogWriter& log_;
  std::shared_ptr<const config::SlowLog> options_ = std::make_shared<config::SlowLog>();
  observe::SlowLogLine line_;
  int under_way_ = 0;
};

}  // namespace pgweir::proxy
