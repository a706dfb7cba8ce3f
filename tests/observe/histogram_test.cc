#include "observe/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace pgweir::observe {
namespace {

constexpr double kQuantiles[] = {0, 0.01, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1};

// Each element a distribution that latencies come in, and some that they don't.
std::vector<std::vector<uint64_t>> Samples() {
  std::mt19937_64 random(7);
  std::vector<std::vector<uint64_t>> all(6);
  std::lognormal_distribution<double> latency(7, 2);
  std::uniform_int_distribution<uint64_t> any(0, Histogram::kMaxValue);
  std::exponential_distribution<double> waits(1e-4);
  for (int i = 0; i < 20'000; ++i) {
    all[0].push_back(static_cast<uint64_t>(latency(random)));
    all[1].push_back(any(random));
    all[2].push_back(static_cast<uint64_t>(waits(random)));
    all[3].push_back(i % 2 == 0 ? 3 : 30'000'000);
    all[4].push_back(static_cast<uint64_t>(i) % 70);
  }
  all[5] = {1'000};
  return all;
}

TEST(Histogram, QuantilesAreWithinItsErrorOfTheTrueOnes) {
  for (std::vector<uint64_t>& values : Samples()) {
    Histogram histogram;
    for (const uint64_t value : values) histogram.Add(value);
    std::sort(values.begin(), values.end());
    ASSERT_EQ(histogram.count(), values.size());
    for (const double q : kQuantiles) {
      const auto rank = static_cast<size_t>(q * static_cast<double>(values.size() - 1));
      const auto truth = static_cast<double>(std::min(values[rank], Histogram::kMaxValue));
      EXPECT_NEAR(static_cast<double>(histogram.Quantile(q)), truth,
                  truth * Histogram::kRelativeError)
          << q;
    }
  }
}

TEST(Histogram, IsExactForSmallValues) {
  for (uint64_t value = 0; value < 64; ++value) {
    Histogram histogram;
    histogram.Add(value);
    EXPECT_EQ(histogram.Quantile(0.5), value);
  }
}

TEST(Histogram, KeepsItsErrorAtEveryBucketsEnds) {
  for (uint64_t power = 32; power <= Histogram::kMaxValue / 2; power *= 2) {
    for (uint64_t part = 0; part < 32; ++part) {
      const uint64_t value = power + part * (power / 32);
      for (const uint64_t edge : {value, value - 1}) {
        Histogram histogram;
        histogram.Add(edge);
        const auto off =
            std::abs(static_cast<double>(histogram.Quantile(1)) - static_cast<double>(edge));
        ASSERT_LE(off, static_cast<double>(edge) * Histogram::kRelativeError) << edge;
      }
    }
  }
}

TEST(Histogram, AddsUpToTheSameInAnyOrder) {
  const auto samples = Samples();
  Histogram a, b, c, all;
  for (const uint64_t value : samples[0]) a.Add(value), all.Add(value);
  for (const uint64_t value : samples[1]) b.Add(value), all.Add(value);
  for (const uint64_t value : samples[3]) c.Add(value), all.Add(value);
  Histogram left(a);
  left.Merge(b);
  left.Merge(c);
  Histogram right(c);
  right.Merge(b);
  right.Merge(a);
  for (const double q : kQuantiles) {
    EXPECT_EQ(left.Quantile(q), all.Quantile(q)) << q;
    EXPECT_EQ(right.Quantile(q), all.Quantile(q)) << q;
  }
  EXPECT_EQ(left.count(), all.count());
}

TEST(Histogram, IsEmptyAtFirstAndWhenCleared) {
  Histogram histogram;
  EXPECT_EQ(histogram.Quantile(0.5), 0u);
  histogram.Merge(Histogram());
  EXPECT_EQ(histogram.count(), 0u);
  histogram.Add(5);
  histogram.Add(5'000'000);
  histogram.Clear();
  EXPECT_EQ(histogram.count(), 0u);
  histogram.Add(7);
  EXPECT_EQ(histogram.Quantile(1), 7u);
}

TEST(Histogram, TakesWhatIsLongerForTheLongest) {
  Histogram histogram;
  histogram.Add(~uint64_t{0});
  EXPECT_NEAR(static_cast<double>(histogram.Quantile(1)), double{Histogram::kMaxValue},
              Histogram::kMaxValue * Histogram::kRelativeError);
}

TEST(Histogram, CountsUpToAValue) {
  Histogram histogram;
  for (const uint64_t value : {1, 2, 3, 1000, 5000}) histogram.Add(value);
  EXPECT_EQ(histogram.CountUpTo(0), 0u);
  EXPECT_EQ(histogram.CountUpTo(2), 2u);
  EXPECT_EQ(histogram.CountUpTo(1100), 4u);
  EXPECT_EQ(histogram.CountUpTo(~uint64_t{0}), 5u);
}

}  // namespace
}  // namespace pgweir::observe
