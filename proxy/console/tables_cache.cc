// SHOW CACHE and its kin. Without a cache they are empty.

#include "config/duration.h"
#include "proxy/cache_admissions.h"
#include "proxy/console/tables.h"

namespace pgweir::proxy {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

double HitRate(const cache::Tally& tally) {
  const auto hits = static_cast<double>(tally.hits.load(kRelaxed));
  const double asked = hits + static_cast<double>(tally.misses.load(kRelaxed));
  return asked == 0 ? 0 : hits / asked;
}

// "why: count, …", of those that there were.
std::string Bypasses(const cache::Tally& tally) {
  std::string text;
  for (size_t i = 0; i < tally.refusals.size(); ++i) {
    const uint64_t count = tally.refusals[i].load(kRelaxed);
    if (count == 0) continue;
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ",
                        cache::Describe(static_cast<cache::Refusal>(i)), count);
  }
  return text;
}

void AddTally(Row& row, const cache::Tally& tally) {
  row.Number(tally.hits.load(kRelaxed))
      .Number(tally.misses.load(kRelaxed))
      .Number(tally.shadow_hits.load(kRelaxed))
      .Text(Bypasses(tally));
}

Rows RowsOf(const cache::Tallies& tallies) {
  Rows rows;
  for (const cache::Tallies::Listed& listed : tallies.List()) {
    AddTally(rows.emplace_back().Text(listed.name), *listed.tally);
  }
  return rows;
}

std::string ScopeOf(const config::CacheRule& rule) {
  if (rule.digest.has_value()) return "digest " + DigestName(*rule.digest);
  if (!rule.pattern.empty()) return "pattern " + rule.pattern;
  return fmt::format("tables {}", fmt::join(rule.tables, ", "));
}

std::string_view ModeName(config::CacheMode mode) {
  switch (mode) {
    case config::CacheMode::kOn:
      return "on";
    case config::CacheMode::kShadow:
      return "shadow";
    case config::CacheMode::kOff:
      break;
  }
  return "off";
}

}  // namespace

net::Task<Rows> FillCache(const View& view) {
  Rows rows;
  const cache::QueryCache* const cache = view.shared().cache;
  if (cache == nullptr) co_return rows;
  const cache::Store::Counts counts = cache->store.counts();
  rows.emplace_back()
      .Number(uint64_t{counts.entries})
      .Number(uint64_t{counts.bytes})
      .Number(cache->total.hits.load(kRelaxed))
      .Number(cache->total.misses.load(kRelaxed))
      .Decimal(HitRate(cache->total))
      .Number(counts.stores)
      .Number(counts.evictions)
      .Number(cache->invalidations.load(kRelaxed))
      .Number(cache->coalesced.load(kRelaxed))
      .Number(cache->stale_served.load(kRelaxed))
      .Numbers(2, 0)
      .Number(cache->total.shadow_hits.load(kRelaxed))
      .Number(counts.too_large)
      .Number(cache->verified.load(kRelaxed))
      .Number(cache->differences.load(kRelaxed));
  co_return rows;
}

// Those of the configuration, whether anything was counted of them or not.
net::Task<Rows> FillCacheRules(const View& view) {
  Rows rows;
  cache::QueryCache* const cache = view.shared().cache;
  if (cache == nullptr) co_return rows;
  const auto& rules = *view.host.snapshot()->cache_rules();
  const auto& configured = view.config().cache.rules;
  for (size_t i = 0; i < rules.size() && i < configured.size(); ++i) {
    const bool off = cache->IsOff(rules[i].id);
    Row& row = rows.emplace_back();
    row.Text(RuleName(rules[i]))
        .Text(ScopeOf(configured[i]))
        .Text(off ? "off (differences)" : ModeName(rules[i].mode))
        .Text(fmt::format("{}ms", configured[i].ttl.count()));
    AddTally(row, cache->by_rule.Of(RuleName(rules[i])));
  }
  co_return rows;
}

net::Task<Rows> FillCacheTables(const View& view) {
  const cache::QueryCache* const cache = view.shared().cache;
  co_return cache == nullptr ? Rows() : RowsOf(cache->by_table);
}

net::Task<Rows> FillCacheDigests(const View& view) {
  const cache::QueryCache* const cache = view.shared().cache;
  co_return cache == nullptr ? Rows() : RowsOf(cache->by_digest);
}

}  // namespace pgweir::proxy
