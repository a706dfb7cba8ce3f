// SHOW DIGESTS, SHOW SLOW and SHOW SYMBOLS: what the workers have noted of statements.

#include <algorithm>
#include <map>
#include <memory>
#include <tuple>

#include "proxy/cache_admissions.h"
#include "proxy/console/tables.h"
#include "proxy/overview.h"

namespace pgweir::proxy {
namespace {

using observe::CacheOutcome;
using observe::DigestSums;

double Millis(uint64_t micros) { return static_cast<double>(micros) / 1000; }
double Millis(const observe::Counter& micros) { return Millis(micros.Get()); }

std::chrono::system_clock::time_point TimeOf(const observe::Counter& micros) {
  return std::chrono::system_clock::time_point(std::chrono::microseconds(micros.Get()));
}

// The nodes of a database by the bits that stand for them; "" without a shard map.
std::string NamesOf(const observe::ShardBits& bits, const router::ShardMapRef& map) {
  std::string names;
  const size_t nodes = map == nullptr ? 0 : map->nodes().size();
  for (size_t i = 0; i < nodes && i < bits.size() * 64; ++i) {
    if ((bits[i / 64] >> i % 64 & 1) == 0) continue;
    names += (names.empty() ? "" : ",") + map->NameOf(static_cast<router::NodeId>(i));
  }
  return names;
}

std::string NamesOf(const observe::ShardBits& bits, const std::string& database, const View& view) {
  const config::Database* const configured = view.config().FindDatabase(database);
  if (configured == nullptr) return "";
  return NamesOf(bits, view.host.snapshot()->ShardMapOf(configured->name));
}

}  // namespace

net::Task<Rows> FillDigests(const View& view) {
  Rows rows;
  for (const auto& digest : DigestsOf(view.shared())) {
    const DigestSums& sums = digest->sums;
    const bool other = digest->database.empty();
    observe::ShardBits bits;
    for (size_t i = 0; i < bits.size(); ++i) bits[i] = sums.shards[i].Get();
    const uint64_t calls = sums.calls.Get();
    rows.emplace_back()
        .Text(other ? "" : DigestName(digest->digest))
        .Text(digest->database)
        .Text(other ? "(other)" : digest->text)
        .Number(calls)
        .Number(sums.errors.Get())
        .Number(sums.rows.Get())
        .Decimal(Millis(sums.total_us))
        .Decimal(Millis(sums.total_us) / static_cast<double>(calls))
        .Decimal(Millis(sums.latency.Quantile(0.5)))
        .Decimal(Millis(sums.latency.Quantile(0.95)))
        .Decimal(Millis(sums.latency.Quantile(0.99)))
        .Decimal(Millis(sums.wait_us))
        .Number(sums.cache_hits.Get())
        .Text(NamesOf(bits, digest->database, view))
        .Text(TimeText(TimeOf(sums.first_seen)))
        .Text(TimeText(TimeOf(sums.last_seen)))
        .Text(digest->user)
        .Decimal(Millis(sums.route_us))
        .Decimal(Millis(sums.connect_us))
        .Decimal(Millis(sums.sync_us))
        .Decimal(Millis(sums.ahead_us))
        .Decimal(Millis(sums.backend_us))
        .Decimal(Millis(sums.transfer_us))
        .Decimal(Millis(sums.blocked_us))
        .Number(sums.bytes.Get())
        .Number(sums.retries.Get());
  }
  co_return rows;
}

net::Task<Rows> FillSlow(const View& view) {
  using Statement = observe::SlowStatements::Statement;
  std::vector<Statement> all;
  for (const auto& host : view.shared().hosts) {
    for (Statement& statement : host->tools().observer.slow.List()) {
      all.push_back(std::move(statement));
    }
  }
  std::sort(all.begin(), all.end(),
            [](const Statement& a, const Statement& b) { return a.finished > b.finished; });
  if (all.size() > observe::SlowStatements::kMost) all.resize(observe::SlowStatements::kMost);
  Rows rows;
  for (const Statement& statement : all) {
    const observe::TimeSplit& times = statement.times;
    rows.emplace_back()
        .Text(TimeText(statement.finished))
        .Text(statement.database)
        .Text(statement.user)
        .Text(DigestName(statement.digest))
        .Decimal(Millis(times.total_us))
        .Decimal(Millis(times.wait_us))
        .Decimal(Millis(times.backend_us))
        .Decimal(Millis(times.transfer_us))
        .Decimal(Millis(times.blocked_us))
        .Decimal(Millis(times.route_us + times.sync_us + times.ahead_us))
        .Number(statement.rows)
        .Number(statement.bytes)
        .Text(NamesOf(statement.shards, statement.database, view))
        .TextOrNull(statement.cache == CacheOutcome::kNone ? "" : NameOf(statement.cache))
        .TextOrNull(statement.sqlstate)
        .Text(statement.text);
  }
  co_return rows;
}

// A symbol that is heavy by one measure only has no number for the others.
net::Task<Rows> FillSymbols(const View& view) {
  std::map<std::string, observe::NodeSymbols> nodes;
  for (const auto& host : view.shared().hosts) {
    host->tools().observer.symbols.MergeInto(nodes);
  }
  Rows rows;
  for (const auto& [node, loads] : nodes) {
    using Weights = std::array<std::optional<uint64_t>, observe::kSymbolLoads>;
    std::map<std::string, Weights> symbols;
    for (size_t load = 0; load < loads.size(); ++load) {
      for (const observe::HeavyHitter& item : loads[load].items) {
        symbols[item.name][load] = item.weight;
      }
    }
    std::vector<std::pair<std::string, Weights>> sorted(symbols.begin(), symbols.end());
    constexpr auto kTime = static_cast<size_t>(observe::SymbolLoad::kTime);
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
      return a.second[kTime].value_or(0) > b.second[kTime].value_or(0);
    });
    for (const auto& [symbol, weights] : sorted) {
      Row& row = rows.emplace_back();
      row.Text(node).Text(symbol);
      for (const observe::SymbolLoad load :
           {observe::SymbolLoad::kCalls, observe::SymbolLoad::kRows}) {
        const auto& weight = weights[static_cast<size_t>(load)];
        weight.has_value() ? row.Number(*weight) : row.Null();
      }
      weights[kTime].has_value() ? row.Decimal(Millis(*weights[kTime])) : row.Null();
    }
  }
  co_return rows;
}

}  // namespace pgweir::proxy
