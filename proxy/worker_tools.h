#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proxy/cache_admissions.h"
#include "proxy/catalog_verdicts.h"
#include "proxy/observer.h"
#include "proxy/planners.h"
#include "proxy/reason_counts.h"
#include "proxy/shard_statistics.h"
#include "proxy/statement_watch.h"
#include "query-cache/key.h"
#include "router/statement_cache.h"

namespace pgweir::proxy {

// What the sessions of one worker use by turns, each without suspending meanwhile.
struct WorkerTools {
  WorkerTools(net::Worker& worker, SessionCounts& counts, ShardStatistics& shards,
              observe::SlowLogWriter& slow_log, observe::SpanExporter& spans, PlanTimes& plan_times)
      : observer(statements, slow_log, spans, worker, plan_times),
        patterns(shards, worker.index()),
        counts(counts),
        next_unnamed((static_cast<uint64_t>(worker.index()) + 1) << 48) {}

  router::StatementCache statements;
  Observer observer;
  CatalogVerdicts catalogs;
  CacheAdmissions admissions;
  cache::KeyMaker keys;
  Planners planners;
  PatternCountersOfWorker patterns;
  std::string flight;  // requests that are put together anew
  std::string answer;  // likewise answers
  std::vector<std::unique_ptr<StatementWatch::Buffers>> spare_buffers;
  std::vector<std::unique_ptr<StatementWatch::Coming>> spare_coming;
  SessionCounts& counts;  // of all workers
  uint64_t next_unnamed;
  bool suspended = false;  // clients are not read (SUSPEND)
};

}  // namespace pgweir::proxy
