#include "query-cache/freshness.h"

namespace pgweir::cache {

Duration FreshFor(const Entry& entry, const Lifetimes& lifetimes) {
  constexpr int kJitterShare = 10;
  constexpr int kStepBits = 10;
  const Duration whole = entry.row_count == 0 ? lifetimes.empty_ttl : lifetimes.ttl;
  const auto steps = static_cast<int64_t>(entry.hash.low >> (64 - kStepBits));
  return whole - whole / kJitterShare / (int64_t{1} << kStepBits) * steps;
}

Freshness Judge(const Entry& entry, const Lifetimes& lifetimes, TimePoint now) {
  const Duration fresh = FreshFor(entry, lifetimes);
  if (fresh <= Duration::zero()) return Freshness::kExpired;
  const Duration age = now - entry.sent_at;
  if (age < fresh) return Freshness::kFresh;
  if (age - fresh < lifetimes.stale_while_revalidate) return Freshness::kStale;
  if (age - fresh < lifetimes.stale_if_error) return Freshness::kIfError;
  return Freshness::kExpired;
}

}  // namespace pgweir::cache
