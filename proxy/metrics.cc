#include "proxy/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <limits>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "pooler/node_monitor.h"
#include "proxy/overview.h"

namespace pgweir::proxy {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr size_t kMaxDatabases = 200;
constexpr size_t kMaxPools = 200;
constexpr double kMicros = 1e6;

// Upper bounds of a histogram's buckets, in microseconds.
constexpr std::array<uint64_t, 14> kBuckets = {500,       1'000,     2'500,      5'000,     10'000,
                                               25'000,    50'000,    95'000,     250'000,   500'000,
                                               1'000'000, 2'500'000, 10'000'000, 30'000'000};

using Labels = std::vector<std::pair<const char*, std::string>>;

// The families in their order.
class Page {
 public:
  void Begin(const char* name, MetricType type, const char* help) {
    MetricFamily& family = families_.emplace_back();
    family.name = name;
    family.type = type;
    family.help = help;
  }
  // Of the family that was begun last.
  ClientMetric& Add(const Labels& labels) {
    ClientMetric& metric = families_.back().metric.emplace_back();
    for (const auto& [name, value] : labels) metric.label.push_back({name, ToUtf8(value)});
    return metric;
  }
  void Add(const Labels& labels, double value) {
    ClientMetric& metric = Add(labels);
    metric.counter.value = metric.gauge.value = value;
  }
  void Gauge(const char* name, const char* help, double value) {
    Begin(name, MetricType::Gauge, help);
    Add({}, value);
  }
  void Counter(const char* name, const char* help, uint64_t value) {
    Begin(name, MetricType::Counter, help);
    Add({}, static_cast<double>(value));
  }
  std::string Text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  std::vector<MetricFamily> families_;
};

void AddStatements(const Shared& shared, Page& page) {
  observe::DigestSums sums;
  for (const auto& host : shared.hosts) sums.Merge(host->tools().observer.all);
  page.Begin("pgweir_statement_duration_seconds", MetricType::Histogram,
             "From a statement's receipt to the last byte of its answer in the client's socket.");
  auto& histogram = page.Add({}).histogram;
  for (const uint64_t bound : kBuckets) {
    histogram.bucket.push_back(
        {sums.latency.CountUpTo(bound), static_cast<double>(bound) / kMicros});
  }
  histogram.sample_count = sums.latency.count();
  histogram.bucket.push_back({histogram.sample_count, std::numeric_limits<double>::infinity()});
  histogram.sample_sum = static_cast<double>(sums.total_us.Get()) / kMicros;
  page.Begin("pgweir_statement_part_seconds_total", MetricType::Counter,
             "Where that time went; blocked is part of transfer, connect of wait.");
  const std::pair<const char*, const observe::Counter*> parts[] = {
      {"route", &sums.route_us},       {"wait", &sums.wait_us},      {"connect", &sums.connect_us},
      {"sync", &sums.sync_us},         {"ahead", &sums.ahead_us},    {"backend", &sums.backend_us},
      {"transfer", &sums.transfer_us}, {"blocked", &sums.blocked_us}};
  for (const auto& [part, micros] : parts) {
    page.Add({{"part", part}}, static_cast<double>(micros->Get()) / kMicros);
  }
  page.Counter("pgweir_statement_errors_total", "Statements that failed.", sums.errors.Get());
  page.Counter("pgweir_statement_rows_total", "Rows returned or changed.", sums.rows.Get());
  page.Counter("pgweir_statement_retries_total", "Times that one was sent again unseen.",
               sums.retries.Get());
}

void AddDatabases(const Shared& shared, Page& page) {
  struct Shown {
    Stat stat;
    const char* name;
    const char* help;
    bool time;  // in microseconds
  };
  constexpr Shown kShown[] = {
      {Stat::kXacts, "pgweir_transactions_total", "Transactions that ended.", false},
      {Stat::kQueries, "pgweir_queries_total", "Requests answered to their ReadyForQuery.", false},
      {Stat::kLogins, "pgweir_client_logins_total", "Clients that logged in.", false},
      {Stat::kAssignments, "pgweir_backend_assignments_total", "Times a client got a backend.",
       false},
      {Stat::kReceived, "pgweir_client_received_bytes_total", "Bytes from clients.", false},
      {Stat::kSent, "pgweir_client_sent_bytes_total", "Bytes to clients.", false},
      {Stat::kWaitTime, "pgweir_backend_wait_seconds_total", "Time spent waiting for backends.",
       true},
      {Stat::kXactTime, "pgweir_transaction_seconds_total", "Time with a backend.", true},
      {Stat::kClientParses, "pgweir_client_parses_total", "Parse messages of clients.", false},
      {Stat::kServerParses, "pgweir_server_parses_total", "Parse messages to servers.", false}};
  std::vector<Statistics::Row> rows = shared.statistics.Read();
  rows.pop_back();  // the sum of all
  if (rows.size() > kMaxDatabases) {
    Statistics::Row& others = rows[kMaxDatabases];
    others.database = kOthers;
    for (size_t i = kMaxDatabases + 1; i < rows.size(); ++i) {
      for (size_t stat = 0; stat < kStats; ++stat) others.totals[stat] += rows[i].totals[stat];
    }
    rows.resize(kMaxDatabases + 1);
  }
  for (const Shown& shown : kShown) {
    page.Begin(shown.name, MetricType::Counter, shown.help);
    for (const Statistics::Row& row : rows) {
      const auto value = static_cast<double>(row.totals[static_cast<size_t>(shown.stat)]);
      page.Add({{"database", row.database}}, shown.time ? value / kMicros : value);
    }
  }
}

void AddPools(const Shared& shared, Page& page) {
  const std::vector<PoolShown> pools = PoolsOf(shared, kMaxPools);
  const auto labels = [](const PoolShown& pool) {
    return Labels{{"database", pool.database}, {"user", pool.user}, {"node", pool.node}};
  };
  page.Begin("pgweir_pool_backends", MetricType::Gauge, "Connections to servers.");
  for (const PoolShown& pool : pools) {
    const std::pair<const char*, int> states[] = {{"active", pool.counts.leased},
                                                  {"idle", pool.counts.idle},
                                                  {"canceling", pool.counts.being_cancelled},
                                                  {"connecting", pool.counts.connecting}};
    for (const auto& [state, count] : states) {
      Labels all = labels(pool);
      all.emplace_back("state", state);
      page.Add(all, count);
    }
  }
  page.Begin("pgweir_pool_waiting_clients", MetricType::Gauge, "Clients that wait for a backend.");
  for (const PoolShown& pool : pools) page.Add(labels(pool), pool.counts.waiting);
  page.Begin("pgweir_pool_longest_wait_seconds", MetricType::Gauge,
             "How long the first of them has been waiting.");
  const TimePoint now = Clock::now();
  for (const PoolShown& pool : pools) {
    const Duration longest = LongestWait(pool.counts, now);
    page.Add(labels(pool), std::chrono::duration<double>(longest).count());
  }
}

void AddNodes(const Shared& shared, Page& page) {
  const std::vector<pooler::NodeViewRef> nodes = shared.nodes.Views();
  const auto each = [&](const auto& visit) {
    for (const pooler::NodeViewRef& node : nodes) {
      for (const pooler::ServerView& server : node->servers) {
        visit(server, Labels{{"database", node->database},
                             {"node", node->node},
                             {"host", server.host},
                             {"port", server.port},
                             {"role", std::string(NameOf(server.role))}});
      }
    }
  };
  page.Begin("pgweir_server_up", MetricType::Gauge,
             "Whether the server is used; one that was never heard of is not shown.");
  each([&](const pooler::ServerView& server, const Labels& labels) {
    if (server.condition == pooler::ServerCondition::kUnknown) return;
    page.Add(labels, server.usable() ? 1 : 0);
  });
  page.Begin("pgweir_server_lag_bytes", MetricType::Gauge, "Behind what the primary has written.");
  each([&](const pooler::ServerView& server, const Labels& labels) {
    if (server.lag_bytes.has_value()) page.Add(labels, static_cast<double>(*server.lag_bytes));
  });
  page.Begin("pgweir_server_lag_seconds", MetricType::Gauge, "Behind the primary.");
  each([&](const pooler::ServerView& server, const Labels& labels) {
    if (server.lag.has_value()) {
      page.Add(labels, std::chrono::duration<double>(*server.lag).count());
    }
  });
}

void AddShards(const Shared& shared, const config::Config& config, Page& page) {
  const std::vector<PatternShown> patterns = PatternsOf(shared, config);
  const auto labels = [](const PatternShown& shown) {
    return Labels{{"database", shown.database}, {"pattern", shown.pattern}, {"node", shown.node}};
  };
  page.Begin("pgweir_shard_statements_total", MetricType::Counter,
             "Requests that a pattern of the shard map has led to its node.");
  for (const PatternShown& shown : patterns) {
    page.Add(labels(shown), static_cast<double>(shown.values.statements));
  }
  page.Begin("pgweir_shard_rows_total", MetricType::Counter, "Rows that they returned or changed.");
  for (const PatternShown& shown : patterns) {
    page.Add(labels(shown), static_cast<double>(shown.values.rows));
  }
}

void AddCache(const cache::QueryCache& cache, Page& page) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  const cache::Store::Counts counts = cache.store.counts();
  page.Gauge("pgweir_cache_entries", "Answers that are kept.", static_cast<double>(counts.entries));
  page.Gauge("pgweir_cache_bytes", "Memory that they take.", static_cast<double>(counts.bytes));
  page.Counter("pgweir_cache_hits_total", "Reads answered from the cache.",
               cache.total.hits.load(kRelaxed));
  page.Counter("pgweir_cache_misses_total", "Reads looked for in vain.",
               cache.total.misses.load(kRelaxed));
  page.Counter("pgweir_cache_stores_total", "Answers that were kept.", counts.stores);
  page.Counter("pgweir_cache_evictions_total", "Answers that made room.", counts.evictions);
  page.Counter("pgweir_cache_invalidations_total", "Answers found outdated by a write.",
               cache.invalidations.load(kRelaxed));
  page.Counter("pgweir_cache_coalesced_total", "Reads that waited for another client's answer.",
               cache.coalesced.load(kRelaxed));
  page.Counter("pgweir_cache_stale_served_total", "Answers given behind their time.",
               cache.stale_served.load(kRelaxed));
  page.Counter("pgweir_cache_differences_total", "Verified hits that differed from the server.",
               cache.differences.load(kRelaxed));
}

void AddSlowLog(const observe::SlowLogWriter& log, Page& page) {
  const observe::SlowLogWriter::Counters counters = log.counters();
  page.Begin("pgweir_slow_log_lines_total", MetricType::Counter,
             "Lines for the slow-query log, by what became of them.");
  const std::pair<const char*, uint64_t> outcomes[] = {{"written", counters.written},
                                                       {"dropped", counters.dropped},
                                                       {"suppressed", counters.suppressed},
                                                       {"failed", counters.failed}};
  for (const auto& [outcome, count] : outcomes) {
    page.Add({{"outcome", outcome}}, static_cast<double>(count));
  }
}

void AddSpans(const observe::SpanExporter& spans, Page& page) {
  const observe::SpanExporter::Counters counters = spans.counters();
  page.Begin("pgweir_trace_spans_total", MetricType::Counter,
             "Spans for the collector of traces, by what became of them.");
  const std::pair<const char*, uint64_t> outcomes[] = {
      {"exported", counters.exported}, {"dropped", counters.dropped}, {"failed", counters.failed}};
  for (const auto& [outcome, count] : outcomes) {
    page.Add({{"outcome", outcome}}, static_cast<double>(count));
  }
}

void AddPlans(const PlanTimes& plans, Page& page) {
  page.Begin("pgweir_plans_total", MetricType::Counter,
             "Plans of slow statements that were asked for, by what became of them.");
  for (size_t i = 0; i < kPlanOutcomes.size(); ++i) {
    page.Add({{"outcome", std::string(kPlanOutcomes[i])}},
             static_cast<double>(plans.count(static_cast<PlanOutcome>(i))));
  }
}

}  // namespace

std::string MetricsText(const Shared& shared, const Snapshot& snapshot) {
  Page page;
  page.Begin("pgweir_build_info", MetricType::Gauge, "Always 1.");
  page.Add({{"version", PGWEIR_VERSION}}, 1);
  page.Gauge("pgweir_clients", "Connected, logged in or not.", shared.clients.load());
  page.Gauge("pgweir_max_clients", "As many may be.", snapshot.config().listen.max_clients);
  page.Gauge("pgweir_draining", "Whether the process is about to end.",
             shared.control.shutting_down() ? 1 : 0);
  AddStatements(shared, page);
  AddDatabases(shared, page);
  AddPools(shared, page);
  AddNodes(shared, page);
  AddShards(shared, snapshot.config(), page);
  if (shared.cache != nullptr) AddCache(*shared.cache, page);
  AddSlowLog(shared.slow_log, page);
  AddSpans(shared.spans, page);
  AddPlans(shared.plan_times, page);
  return page.Text();
}

}  // namespace pgweir::proxy
