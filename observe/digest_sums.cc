#include "observe/digest_sums.h"

#include <algorithm>

namespace pgweir::observe {
namespace {

constexpr Counter DigestSums::* kSums[] = {
    &DigestSums::calls,      &DigestSums::errors,      &DigestSums::rows,
    &DigestSums::bytes,      &DigestSums::retries,     &DigestSums::cache_hits,
    &DigestSums::total_us,   &DigestSums::route_us,    &DigestSums::wait_us,
    &DigestSums::connect_us, &DigestSums::sync_us,     &DigestSums::ahead_us,
    &DigestSums::backend_us, &DigestSums::transfer_us, &DigestSums::blocked_us,
};

// Of statements that take no time, or none of it there, as most do: no store.
void AddSome(Counter& counter, uint64_t amount) {
  if (amount != 0) counter.Add(amount);
}

}  // namespace

void DigestSums::Add(const StatementRecord& record) {
  const TimeSplit& times = record.times;
  calls.Add(1);
  AddSome(errors, record.failed() ? 1 : 0);
  AddSome(rows, record.rows);
  AddSome(bytes, record.bytes);
  AddSome(retries, record.retries);
  AddSome(cache_hits, record.from_cache() ? 1 : 0);
  AddSome(total_us, times.total_us);
  AddSome(route_us, times.route_us);
  AddSome(wait_us, times.wait_us);
  AddSome(connect_us, times.connect_us);
  AddSome(sync_us, times.sync_us);
  AddSome(ahead_us, times.ahead_us);
  AddSome(backend_us, times.backend_us);
  AddSome(transfer_us, times.transfer_us);
  AddSome(blocked_us, times.blocked_us);
  for (size_t i = 0; i < shards.size(); ++i) {
    if (record.shards[i] != 0) shards[i].Set(shards[i].Get() | record.shards[i]);
  }
  const uint64_t now = MicrosOf(record.finished);
  if (first_seen.Get() == 0) first_seen.Set(now);
  last_seen.Set(now);
  latency.Add(times.total_us);
}

void DigestSums::Merge(const DigestSums& other) {
  for (Counter DigestSums::* sum : kSums) (this->*sum).Add((other.*sum).Get());
  for (size_t i = 0; i < shards.size(); ++i) {
    shards[i].Set(shards[i].Get() | other.shards[i].Get());
  }
  const uint64_t first = other.first_seen.Get();
  if (first != 0) first_seen.Set(first_seen.Get() == 0 ? first : std::min(first_seen.Get(), first));
  last_seen.Set(std::max(last_seen.Get(), other.last_seen.Get()));
  latency.Merge(other.latency);
}

void DigestSums::Clear() {
  for (Counter DigestSums::* sum : kSums) (this->*sum).Set(0);
  for (Counter& bits : shards) bits.Set(0);
  first_seen.Set(0);
  last_seen.Set(0);
  latency.Clear();
}

}  // namespace pgweir::observe
