#include "observe/digest_table.h"

#include <gmock/gmock.h>
#include <malloc.h>

#include <atomic>
#include <map>
#include <thread>

#include "tests/observe/record_fixture.h"

namespace pgweir::observe {
namespace {

struct Seen {
  std::string text, example;
  uint64_t calls, total_us;
};

class Table : public testing::Test {
 protected:
  // By database, user and digest.
  static std::map<std::tuple<std::string, std::string, uint64_t>, Seen> Read(
      const DigestTable& table, uint64_t* other = nullptr) {
    std::map<std::tuple<std::string, std::string, uint64_t>, Seen> all;
    table.ForEach([&](const DigestTable::Row& row) {
      if (row.database.empty()) {
        if (other != nullptr) *other = row.sums->calls.Get();
        return;
      }
      all[{std::string(row.database), std::string(row.user), row.digest}] = {
          std::string(row.text), std::string(row.example), row.sums->calls.Get(),
          row.sums->total_us.Get()};
    });
    return all;
  }
  bool Record(DigestTable& table, uint64_t digest, uint64_t total_us = 100) {
    record_.digest = digest;
    record_.times.total_us = total_us;
    return table.Record(record_);
  }

  ExampleStatement example_;
  StatementRecord& record_ = example_.record;
};

TEST_F(Table, AddsUpByDatabaseUserAndDigest) {
  DigestTable table({});
  Record(table, 1, 10);
  Record(table, 1, 20);
  Record(table, 2, 5);
  example_.client.user = "bob";
  Record(table, 1, 7);
  example_.client.database = "other";
  Record(table, 1, 8);
  const auto all = Read(table);
  EXPECT_EQ(all.size(), 4u);
  EXPECT_EQ(all.at({"shop", "alice", 1}).calls, 2u);
  EXPECT_EQ(all.at({"shop", "alice", 1}).total_us, 30u);
  EXPECT_EQ(all.at({"shop", "bob", 1}).total_us, 7u);
  EXPECT_EQ(all.at({"other", "bob", 1}).total_us, 8u);
}

TEST_F(Table, AddsUpAllThatARecordSays) {
  DigestTable table({});
  record_.cache = CacheOutcome::kStale;
  record_.sqlstate = "57014";
  table.Record(record_);
  record_.cache = CacheOutcome::kMiss;
  record_.sqlstate = "";
  record_.shards = {1, 0, 0, 2};
  const WallTime first = record_.finished;
  record_.finished += std::chrono::seconds(5);
  table.Record(record_);
  table.ForEach([&](const DigestTable::Row& row) {
    if (row.database.empty()) return;
    const DigestSums& sums = *row.sums;
    EXPECT_EQ(sums.calls.Get(), 2u);
    EXPECT_EQ(sums.errors.Get(), 1u);
    EXPECT_EQ(sums.rows.Get(), 10u);
    EXPECT_EQ(sums.bytes.Get(), 600u);
    EXPECT_EQ(sums.retries.Get(), 2u);
    EXPECT_EQ(sums.cache_hits.Get(), 1u);
    EXPECT_EQ(sums.wait_us.Get(), 1800200u);
    EXPECT_EQ(sums.backend_us.Get(), 660400u);
    EXPECT_EQ(sums.transfer_us.Get(), 8400u);
    EXPECT_EQ(sums.total_us.Get(), 2469134u);
    EXPECT_EQ(sums.shards[0].Get(), 5u);
    EXPECT_EQ(sums.shards[3].Get(), 2u);
    EXPECT_EQ(WallTime(std::chrono::microseconds(sums.first_seen.Get())), first);
    EXPECT_EQ(WallTime(std::chrono::microseconds(sums.last_seen.Get())), record_.finished);
    EXPECT_EQ(sums.latency.count(), 2u);
  });
}

TEST_F(Table, AsksForTheTextOnce) {
  DigestTable table({});
  EXPECT_TRUE(Record(table, 1));
  EXPECT_TRUE(Record(table, 1));
  table.Describe(record_);
  EXPECT_FALSE(Record(table, 1));
  record_.digest_text = "another";
  EXPECT_TRUE(Record(table, 2));
  EXPECT_EQ(Read(table).at({"shop", "alice", 1}).text, "select $1");
  EXPECT_EQ(Read(table).at({"shop", "alice", 1}).example, "SELECT 1");
}

TEST_F(Table, BoundsTextsAndKeepsNoSecrets) {
  DigestTable table({});
  const std::string text(5000, 'x');
  record_.text = record_.digest_text = text;
  Record(table, 1);
  table.Describe(record_);
  record_.text = "ALTER ROLE a PASSWORD 'b'";
  Record(table, 2);
  table.Describe(record_);
  const auto all = Read(table);
  EXPECT_EQ(all.at({"shop", "alice", 1}).text.size(), DigestTable::kMaxText);
  EXPECT_EQ(all.at({"shop", "alice", 1}).example.size(), DigestTable::kMaxExample);
  EXPECT_EQ(all.at({"shop", "alice", 2}).example, "");

  DigestTable without({.keep_examples = false});
  record_.text = "SELECT 1";
  Record(without, 1);
  without.Describe(record_);
  EXPECT_EQ(Read(without).at({"shop", "alice", 1}).example, "");
}

TEST_F(Table, CountsWhatHasNoPlaceAsOther) {
  DigestTable table({.digests = 4});
  for (uint64_t digest = 1; digest <= 10; ++digest) Record(table, digest);
  uint64_t other = 0;
  EXPECT_EQ(Read(table, &other).size(), 4u);
  EXPECT_EQ(other, 6u);
  DigestTable none({.digests = 0});
  Record(none, 1);
  EXPECT_TRUE(Read(none, &other).empty());
  EXPECT_EQ(other, 1u);
}

TEST_F(Table, KeepsWhatIsHotThroughAMillionOthersInTheSameMemory) {
  DigestTable table({.digests = 200});
  const std::string text(3000, 't');
  constexpr uint64_t kHot = 20;
  uint64_t hot_calls = 0;
  size_t before = 0;
  for (uint64_t i = 0; i < 1'000'000; ++i) {
    if (i == 100'000) before = mallinfo2().uordblks;
    record_.text = record_.digest_text = std::string_view(text).substr(0, i % 50 == 0 ? 3000 : 30);
    if (Record(table, 1'000'000 + i)) table.Describe(record_);
    if (i % 10 == 0) {
      Record(table, 1 + i / 10 % kHot, 200);
      ++hot_calls;
    }
  }
  EXPECT_LT(mallinfo2().uordblks, before + (size_t{1} << 20));
  uint64_t other = 0;
  const auto all = Read(table, &other);
  EXPECT_EQ(all.size(), 200u);
  uint64_t calls = other, kept = 0;
  for (const auto& [key, seen] : all) {
    calls += seen.calls;
    if (std::get<2>(key) <= kHot) kept += seen.calls;
  }
  EXPECT_EQ(calls, 1'000'000 + hot_calls);
  EXPECT_EQ(kept, hot_calls);
}

TEST_F(Table, GivesUpWhatHasNotBeenSeenForLong) {
  DigestTable table({.digests = 2});
  Record(table, 1, 1'000'000);
  Record(table, 2, 5'000);
  record_.finished += std::chrono::hours(1);
  Record(table, 2, 5'000);
  Record(table, 3, 5'000);
  const auto all = Read(table);
  EXPECT_FALSE(all.contains({"shop", "alice", 1}));
  EXPECT_TRUE(all.contains({"shop", "alice", 2}));
}

TEST_F(Table, BeginsAnewWhenReset) {
  DigestTable table({.digests = 4});
  for (uint64_t digest = 1; digest <= 6; ++digest) Record(table, digest);
  table.Describe(record_);
  table.Reset();
  uint64_t other = 9;
  EXPECT_TRUE(Read(table, &other).empty());
  EXPECT_EQ(other, 0u);
  EXPECT_TRUE(Record(table, 6, 5));
  Record(table, 7, 5);
  const auto all = Read(table, &other);
  EXPECT_EQ(all.size(), 2u);
  EXPECT_EQ(all.at({"shop", "alice", 6}).calls, 1u);
  EXPECT_EQ(all.at({"shop", "alice", 6}).text, "");
  EXPECT_EQ(other, 0u);
}

TEST_F(Table, PutsNoNamesOfAnyLengthTogether) {
  DigestTable table({});
  const std::string long_name(1000, 'n');
  example_.client.user = long_name;
  Record(table, 1);
  Record(table, 1);
  const auto all = Read(table);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all.begin()->second.calls, 2u);
  EXPECT_EQ(std::get<1>(all.begin()->first).size(), DigestTable::kMaxName);
}

// Whoever reads meanwhile sees whole names and texts, and nothing is lost.
TEST_F(Table, MayBeReadWhileItsWorkerRecords) {
  DigestTable table({.digests = 16});
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) {
      table.ForEach([](const DigestTable::Row& row) {
        if (row.text.empty()) return;
        EXPECT_EQ(row.text, "digest " + std::to_string(row.digest));
      });
    }
  });
  for (uint64_t i = 0; i < 100'000; ++i) {
    const std::string text = "digest " + std::to_string(i % 64);
    record_.digest_text = text;
    if (Record(table, i % 64)) table.Describe(record_);
  }
  done = true;
  reader.join();
  uint64_t other = 0;
  uint64_t calls = 0;
  for (const auto& [key, seen] : Read(table, &other)) calls += seen.calls;
  EXPECT_EQ(calls + other, 100'000u);
}

}  // namespace
}  // namespace pgweir::observe
