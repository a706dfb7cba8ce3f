#pragma once

#include <array>
#include <memory>
#include <random>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "observe/digest_table.h"
#include "observe/hot_symbols.h"
#include "observe/slow_log_line.h"
#include "observe/slow_log_policy.h"
#include "observe/slow_log_writer.h"
#include "observe/slow_statements.h"
#include "observe/span_exporter.h"
#include "observe/statement_record.h"
#include "observe/statement_spans.h"
#include "proxy/plans.h"
#include "proxy/watched_client.h"
#include "router/digest_text.h"
#include "router/statement_cache.h"
#include "wire/parameters.h"

namespace pgweir::proxy {

// Takes the finished statements of one worker's sessions: adds them up by digest and by symbol,
// logs those that are slow, with their plans, and exports as spans those that are traced. Belongs
// to the worker; other threads read `digests`, `symbols` and `slow`.
class Observer {
 public:
  Observer(router::StatementCache& statements, observe::SlowLogWriter& log,
           observe::SpanExporter& spans, net::Worker& worker, PlanTimes& plan_times)
      : statements_(statements), log_(log), spans_(spans), plans_(worker, plan_times, log) {}

  // From now on by [slow_log] and [traces] of this.
  void Use(std::shared_ptr<const config::Config> config);

  // What is looked at only for some statements.
  struct Details {
    TimePoint now;                         // the statement's end
    const router::Facts* facts = nullptr;  // null = not known yet
    bool cut = false;                      // the record's text goes on
    std::string_view types;                // of the parameters, as Parse has them
    std::string_view values;               // a Bind, but for its names
    std::string_view symbol;               // that it is about; "" = none, or several
    const wire::Parameters& settings;
    WatchedClient& client;  // whose it is, by which it can be planned
  };
  // The digest, and whatever only the log needs, is added to the record here.
  void Take(observe::StatementRecord& record, const Details& details);

  observe::DigestTable digests{{.keep_examples = false}};
  observe::DigestSums all;  // of all statements, since the start
  observe::HotSymbols symbols;
  observe::SlowStatements slow;

 private:
  uint64_t DigestOf(std::string_view text, const Details& details);
  std::string_view DigestTextOf(std::string_view text, const Details& details);
  observe::WallTime WallTimeOf(TimePoint time);
  std::string_view TraceparentOf(std::string_view text, const wire::Parameters& settings);
  bool IsTraced(const observe::StatementRecord& record);
  void Log(observe::StatementRecord& record, const Details& details);
  uint32_t Draw() { return static_cast<uint32_t>(random_() << 1); }
  void ConsiderPlan(const observe::StatementRecord& record, const Details& details);

  router::StatementCache& statements_;
  observe::SlowLogWriter& log_;
  observe::SpanExporter& spans_;
  Plans plans_;
  std::shared_ptr<const config::Config> config_ = std::make_shared<config::Config>();
  observe::SlowLogPolicy policy_{config_->slow_log};
  observe::SlowLogLine line_;
  observe::StatementSpans span_lines_;
  router::DigestText digest_text_;
  router::SqlScan scan_;  // of texts that the statement cache is not to have
  std::vector<observe::StatementParameter> parameters_;
  std::minstd_rand random_{std::random_device{}()};
  // The system's clock at a moment of the other one, not long ago.
  TimePoint known_at_{};
  observe::WallTime known_time_;
};

}  // namespace pgweir::proxy
