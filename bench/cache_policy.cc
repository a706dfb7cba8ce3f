// The share of requests that find their answer, by the query cache's policy and by plain LRU, on
// made-up traces: what is asked for by Zipf's law, alone and mixed with scans that ask for each of
// many answers once.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <list>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "query-cache/s3_fifo.h"
#include "router/text_hash.h"

namespace pgweir::cache {
namespace {

constexpr size_t kKeys = 100'000;
constexpr size_t kRequests = 1'000'000;
constexpr size_t kScan = 20'000;  // requests in one

struct Request {
  uint64_t key;
  size_t bytes;
};
using Trace = std::vector<Request>;

Hash128 HashOf(uint64_t key) {
  const auto number = std::to_string(key);
  return {router::HashText(number), router::HashText(number, 1)};
}

// Most answers are small, some a hundred times larger: log-normal, the same for a key each time.
size_t BytesOf(uint64_t key) {
  std::minstd_rand random(static_cast<uint32_t>(key + 1));
  random();  // the first number of neighbouring seeds is much the same
  return static_cast<size_t>(std::lognormal_distribution<double>(7.5, 1.0)(random)) + 600;
}

// Key k is asked for in proportion to 1 / k^exponent.
class Zipf {
 public:
  explicit Zipf(double exponent) {
    double sum = 0;
    for (size_t k = 1; k <= kKeys; ++k) {
      sum += std::pow(static_cast<double>(k), -exponent);
      sums_.push_back(sum);
    }
  }
  uint64_t operator()(std::mt19937_64& random) const {
    const double at = std::uniform_real_distribution<double>(0, sums_.back())(random);
    return static_cast<uint64_t>(std::ranges::lower_bound(sums_, at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

// `scans`: the share of requests that belong to one.
Trace MakeTrace(double exponent, double scans) {
  std::mt19937_64 random(1);
  const Zipf zipf(exponent);
  std::vector<size_t> sizes;
  for (size_t key = 0; key < kKeys; ++key) sizes.push_back(BytesOf(key));
  uint64_t scanned = kKeys;
  const double each = scans / (1 - scans) / static_cast<double>(kScan);  // a scan a request
  double due = 0;
  Trace trace;
  for (size_t i = 0; i < kRequests; ++i) {
    const uint64_t key = zipf(random);
    trace.push_back({key, sizes[key]});
    for (due += each; due >= 1; due -= 1) {
      for (size_t j = 0; j < kScan; ++j, ++scanned) trace.push_back({scanned, BytesOf(scanned)});
    }
  }
  return trace;
}

// By how the cache is warm: the first fifth of the trace isn't counted. What belongs to a scan
// can't be found and isn't either.
template <typename Policy>
double HitRate(const Trace& trace, Policy policy) {
  size_t hits = 0, counted = 0;
  for (size_t i = 0; i < trace.size(); ++i) {
    const bool hit = policy.Ask(trace[i]);
    if (i < trace.size() / 5 || trace[i].key >= kKeys) continue;
    ++counted;
    hits += hit ? 1 : 0;
  }
  return static_cast<double>(hits) / static_cast<double>(counted);
}

class OurPolicy {
 public:
  explicit OurPolicy(size_t capacity) : fifo_(std::make_unique<S3Fifo>(capacity)) {}

  bool Ask(const Request& request) {
    const Hash128 hash = HashOf(request.key);
    if (fifo_->Find(hash) != nullptr) return true;
    auto entry = std::make_shared<Entry>();
    entry->hash = hash;
    entry->bytes = request.bytes;
    fifo_->Insert(std::move(entry));
    while (fifo_->IsFull()) fifo_->Evict();
    return false;
  }

 private:
  std::unique_ptr<S3Fifo> fifo_;
};

class Lru {
 public:
  explicit Lru(size_t capacity) : capacity_(capacity) {}

  bool Ask(const Request& request) {
    const auto [found, is_new] = index_.try_emplace(request.key);
    if (!is_new) {
      recent_.splice(recent_.begin(), recent_, found->second);
      return true;
    }
    recent_.push_front(request);
    found->second = recent_.begin();
    for (bytes_ += request.bytes; bytes_ > capacity_; recent_.pop_back()) {
      bytes_ -= recent_.back().bytes;
      index_.erase(recent_.back().key);
    }
    return false;
  }

 private:
  size_t capacity_;
  size_t bytes_ = 0;
  std::list<Request> recent_;
  absl::flat_hash_map<uint64_t, std::list<Request>::iterator> index_;
};

void Compare() {
  size_t all = 0;
  for (uint64_t key = 0; key < kKeys; ++key) all += BytesOf(key);
  std::printf("| trace | room for | LRU | S3-FIFO |\n|---|---:|---:|---:|\n");
  for (const double exponent : {0.8, 1.0}) {
    for (const double scans : {0.0, 0.2, 0.5}) {
      const Trace trace = MakeTrace(exponent, scans);
      for (const double share : {0.01, 0.1}) {
        const auto capacity = static_cast<size_t>(static_cast<double>(all) * share);
        std::printf("| Zipf %.1f, %.0f %% scans | %.0f %% | %.1f %% | %.1f %% |\n", exponent,
                    100 * scans, 100 * share, 100 * HitRate(trace, Lru(capacity)),
                    100 * HitRate(trace, OurPolicy(capacity)));
        std::fflush(stdout);
      }
    }
  }
}

}  // namespace
}  // namespace pgweir::cache

int main() { pgweir::cache::Compare(); }
