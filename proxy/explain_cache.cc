#include "proxy/explain_cache.h"

#include <spdlog/fmt/fmt.h>

#include "proxy/cache_admissions.h"
#include "query-cache/admission.h"
#include "router/hints.h"
#include "router/repeat_verdict.h"
#include "router/statement_cache.h"
#include "router/touched_tables.h"

namespace pgweir::proxy {
namespace {

using cache::Refusal;

std::string Shown(Duration duration) {
  return fmt::format("{}ms",
                     std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

std::string_view ShownMode(config::CacheMode mode) {
  if (mode == config::CacheMode::kShadow) return " (shadow: counted, not served)";
  return mode == config::CacheMode::kOff ? " (off)" : "";
}

}  // namespace

std::string ExplainCache(const RouteKnowledge& knowledge, const cache::Rules& rules,
                         std::string_view sql) {
  router::StatementCache statements;
  const router::FactsRef facts = statements.Find(sql);
  std::string text = fmt::format("digest: {}\n", DigestName(facts->digest));
  if (knowledge.catalog == nullptr) return text + "cached: unknown\nwhy: no catalog is known\n";
  const router::SqlScan& scan = statements.scan();
  const cache::Admission admission =
      cache::Admit(*facts, scan.normalised(), *knowledge.catalog, rules);
  const auto hints = router::HintsOf(sql, scan);
  if (!hints.ok()) return text + fmt::format("cached: no\nwhy: {}\n", MessageOf(hints.status()));
  const cache::Rule* const rule = admission.rule;
  text += rule == nullptr ? "rule: none\n"
                          : fmt::format("rule: {}{}\n", rule->number, ShownMode(rule->mode));
  Refusal refusal = admission.Under(rule);
  if (rule == nullptr && !hints->cache.has_value()) refusal = Refusal::kNoRule;
  if (hints->cache.has_value() && hints->cache->off) refusal = Refusal::kOff;
  const bool moments = rule == nullptr || !rule->allow_stable;
  if (refusal == Refusal::kNone && moments && router::NamesMoment(scan, sql)) {
    refusal = Refusal::kVaries;
  }
  if (refusal != Refusal::kNone) {
    return text + fmt::format("cached: no\nwhy: {}\n", cache::Describe(refusal));
  }
  text += "cached: yes, outside of transactions\n";
  const Duration ttl = hints->cache.has_value() ? Duration(hints->cache->ttl) : rule->lifetimes.ttl;
  text += fmt::format("ttl: {}\n", Shown(ttl));
  if (rule != nullptr) {
    const cache::Lifetimes& lifetimes = rule->lifetimes;
    if (lifetimes.stale_while_revalidate > Duration::zero()) {
      text += fmt::format("stale_while_revalidate: {}\n", Shown(lifetimes.stale_while_revalidate));
    }
    if (lifetimes.stale_if_error > Duration::zero()) {
      text += fmt::format("stale_if_error: {}\n", Shown(lifetimes.stale_if_error));
    }
  }
  for (const uint32_t index :
       router::TablesRead(facts->statements.front(), *knowledge.catalog).relations) {
    const router::QualifiedName& name = knowledge.catalog->relations()[index].name;
    text += fmt::format("depends on: {}.{}\n", name.schema, name.name);
  }
  return text +
         "key: node, database, login role, effective role, search_path, settings, protocol, text, "
         "parameters and their types, formats of the result\n";
}

}  // namespace pgweir::proxy
