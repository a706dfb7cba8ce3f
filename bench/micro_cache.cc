// What the query cache costs a request: making its key, finding the answer, seeing that it holds.

#include <benchmark/benchmark.h>

#include "query-cache/flights.h"
#include "query-cache/freshness.h"
#include "query-cache/store.h"

namespace pgweir::cache {
namespace {

constexpr size_t kAnswers = 10'000;
constexpr std::string_view kText =
    "SELECT bucket, open, high, low, close, volume FROM candles WHERE symbol = $1 AND bucket >= $2 "
    "ORDER BY bucket DESC LIMIT 100";

// About 300 bytes.
class Keys {
 public:
  Key Make(size_t number) {
    const std::string symbol = "SYMBOL" + std::to_string(kAnswers + number);
    bind_.replace(8, symbol.size(), symbol);
    KeyParts parts;
    parts.nodes = nodes_;
    parts.database = "market";
    parts.login_role = parts.effective_role = "dashboard";
    parts.search_path = "\"$user\", public";
    parts.settings = "client_encoding=UTF8;TimeZone=UTC";
    parts.protocol = Protocol::kExtended;
    parts.text = kText;
    parts.parameter_types = std::string_view("\0\0", 2);
    parts.bind = bind_;
    return maker_.Make(parts);
  }

 private:
  KeyMaker maker_;
  std::vector<std::string_view> nodes_ = {"db_shard_1"};
  std::string bind_ = std::string(60, '\0');
};

// A store with an answer of 100 rows to each key, shared by the threads.
struct Filled {
  Filled() {
    Keys keys;
    extent = {DatabaseOf("market"),
              {{TableOf(DatabaseOf("market"), "public", "candles"), {SymbolOf("BTCUSDT")}}},
              false};
    for (size_t i = 0; i < kAnswers; ++i) {
      const Key key = keys.Make(i);
      Entry entry;
      entry.key = key.bytes;
      entry.hash = key.hash;
      entry.rows = std::string(6000, 'r');
      entry.row_count = 100;
      entry.reading = versions.Read(extent);
      entry.sent_at = Clock::now();
      store.Put(Seal(std::move(entry)));
    }
  }

  Store store{{.max_bytes = size_t{256} << 20, .max_entry_bytes = size_t{1} << 20}};
  Versions versions;
  Extent extent;
};

Filled& Shared() {
  static Filled filled;
  return filled;
}

void MakeKey(benchmark::State& state) {
  Keys keys;
  size_t number = 0;
  for (auto _ : state) benchmark::DoNotOptimize(keys.Make(++number % 10).hash);
  state.counters["bytes"] = static_cast<double>(keys.Make(0).bytes.size());
}
BENCHMARK(MakeKey);

// The keys are made before, so that only the store is measured.
std::vector<std::pair<std::string, Hash128>> MadeKeys(size_t count) {
  Keys keys;
  std::vector<std::pair<std::string, Hash128>> made;
  for (size_t i = 0; i < count; ++i) {
    const Key key = keys.Make(i);
    made.emplace_back(key.bytes, key.hash);
  }
  return made;
}

void Find(benchmark::State& state, size_t count) {
  Filled& filled = Shared();
  const auto keys = MadeKeys(count);
  size_t next = static_cast<size_t>(state.thread_index()) * 4999;
  size_t hits = 0;
  for (auto _ : state) {
    const auto& [bytes, hash] = keys[next++ % keys.size()];
    hits += filled.store.Find({bytes, hash}) != nullptr ? 1 : 0;
  }
  if (hits != static_cast<size_t>(state.iterations())) state.SkipWithError("a miss");
}
void FindOneOfMany(benchmark::State& state) { Find(state, kAnswers); }
void FindTheSame(benchmark::State& state) { Find(state, 1); }
BENCHMARK(FindOneOfMany)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(FindTheSame)->Threads(1)->Threads(2)->UseRealTime();

// All that a hit takes from the cache.
void Hit(benchmark::State& state) {
  Filled& filled = Shared();
  Keys keys;
  const Lifetimes lifetimes{.ttl = std::chrono::hours(1), .empty_ttl = std::chrono::hours(1)};
  size_t served = 0;
  for (auto _ : state) {
    const EntryRef entry = filled.store.Find(keys.Make(served % kAnswers));
    served += entry != nullptr && filled.versions.Holds(entry->reading) &&
                      Judge(*entry, lifetimes, Clock::now()) == Freshness::kFresh
                  ? 1
                  : 0;
  }
  if (served != static_cast<size_t>(state.iterations())) state.SkipWithError("a miss");
}
BENCHMARK(Hit)->Threads(1)->Threads(2)->UseRealTime();

void TakeReading(benchmark::State& state) {
  Filled& filled = Shared();
  for (auto _ : state) benchmark::DoNotOptimize(filled.versions.Read(filled.extent));
}
BENCHMARK(TakeReading);

void WriteOneSymbol(benchmark::State& state) {
  Versions versions;
  const Extent extent = Shared().extent;
  for (auto _ : state) versions.Bump(extent);
}
BENCHMARK(WriteOneSymbol);

void LeadAndLand(benchmark::State& state) {
  Filled& filled = Shared();
  Flights flights;
  const auto keys = MadeKeys(1);
  const Key key{keys[0].first, keys[0].second};
  const Reading reading = filled.versions.Read(filled.extent);
  for (auto _ : state) flights.TryLead(key, reading)->Land(nullptr);
}
BENCHMARK(LeadAndLand);

// Into a full store, so that each one evicts another.
void PutAndEvict(benchmark::State& state) {
  Store store({.max_bytes = size_t{16} << 20, .max_entry_bytes = size_t{64} << 10});
  Keys keys;
  size_t number = 0;
  for (auto _ : state) {
    const Key key = keys.Make(++number);
    Entry entry;
    entry.key = key.bytes;
    entry.hash = key.hash;
    entry.rows = std::string(6000, 'r');
    store.Put(Seal(std::move(entry)));
  }
}
BENCHMARK(PutAndEvict);

}  // namespace
}  // namespace pgweir::cache

BENCHMARK_MAIN();
