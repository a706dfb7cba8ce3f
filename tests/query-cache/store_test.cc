#include "query-cache/store.h"

#include <gmock/gmock.h>
#include <malloc.h>

#include <barrier>
#include <map>
#include <random>
#include <thread>

#include "tests/query-cache/entries.h"

namespace pgweir::cache {
namespace {

using test::Answer;
using test::KeyOf;

constexpr size_t kMiB = size_t{1} << 20;

TEST(Store, FindsByTheWholeKey) {
  Store store({});
  store.Put(Answer("a"));
  const std::string name = "a";
  ASSERT_NE(store.Find(KeyOf(name)), nullptr);
  EXPECT_EQ(store.Find(KeyOf(name))->key, "a");
  // Situation 61: another key of the same hash.
  const std::string other = "b";
  EXPECT_EQ(store.Find({other, KeyOf(name).hash}), nullptr);
}

TEST(Store, HandsOutTheRowsWithoutCopyingThem) {
  Store store({});
  const EntryRef answer = Answer("a", 5000);
  store.Put(answer);
  EXPECT_EQ(store.Find(KeyOf("a"))->rows.data(), answer->rows.data());
}

TEST(Store, LeavesItsReadersWhatItGivesUp) {
  Store store({});
  store.Put(Answer("a", 5000));
  const EntryRef held = store.Find(KeyOf("a"));
  store.Erase(*held);
  EXPECT_EQ(store.Find(KeyOf("a")), nullptr);
  EXPECT_EQ(held->rows, std::string(5000, 'r'));
}

// Situation 60.
TEST(Store, RefusesWhatIsTooLarge) {
  Store store({.max_bytes = 64 * kMiB, .max_entry_bytes = 10'000});
  EXPECT_FALSE(store.Put(Answer("a", 10'000)));
  EXPECT_TRUE(store.Put(Answer("b", 9'000)));
  EXPECT_EQ(store.counts().too_large, 1u);
  EXPECT_EQ(store.counts().entries, 1u);
}

TEST(Store, FlushesByWhatAnEntryIs) {
  Store store({.max_bytes = 64 * kMiB, .max_entry_bytes = kMiB});
  const TableId trades = TableOf(DatabaseOf("market"), "public", "trades");
  for (int i = 0; i < 3000; ++i) {
    Entry entry = test::Unsealed(std::to_string(i), 100);
    entry.digest = static_cast<uint64_t>(i % 3);
    if (i % 5 == 0) entry.tables = {trades};
    store.Put(Seal(std::move(entry)));
  }
  EXPECT_EQ(store.EraseIf([](const Entry& entry) { return entry.digest == 1; }), 1000u);
  EXPECT_EQ(store.EraseIf([&](const Entry& entry) {
    return std::ranges::find(entry.tables, trades) != entry.tables.end();
  }),
            400u);
  EXPECT_EQ(store.counts().entries, 1600u);
  EXPECT_EQ(store.EraseIf([](const Entry&) { return true; }), 1600u);
  EXPECT_EQ(store.counts().entries, 0u);
}

TEST(Store, ShrinksAtAReload) {
  Store store({.max_bytes = 64 * kMiB, .max_entry_bytes = kMiB});
  for (int i = 0; i < 4000; ++i) store.Put(Answer(std::to_string(i), 10'000));
  EXPECT_GT(store.counts().bytes, 35 * kMiB);
  store.SetLimits({.max_bytes = 8 * kMiB, .max_entry_bytes = 1000});
  EXPECT_LE(store.counts().bytes, 8 * kMiB);
  EXPECT_FALSE(store.Put(Answer("a", 10'000)));
}

// A flush of part of it while the store is full, so that every Put() moves entries about.
TEST(Store, FlushesWhatWasThereWhileOthersStore) {
  Store store({.max_bytes = 8 * kMiB, .max_entry_bytes = 100'000});
  const auto put = [&](int i, uint64_t digest) {
    Entry entry = test::Unsealed(std::to_string(i), 500);
    entry.digest = digest;
    store.Put(Seal(std::move(entry)));
  };
  for (int i = 0; i < 20'000; ++i) put(i, 1);
  ASSERT_GT(store.counts().evictions, 1000u);
  std::barrier start(2);
  std::thread other([&] {
    start.arrive_and_wait();
    for (int i = 20'000; i < 40'000; ++i) put(i, 2);
  });
  start.arrive_and_wait();
  store.EraseIf([](const Entry& entry) { return entry.digest == 1; });
  EXPECT_EQ(store.EraseIf([](const Entry& entry) { return entry.digest == 1; }), 0u);
  other.join();
  EXPECT_GT(store.counts().entries, 1000u);
}

// Random operations against what a map says: what is found is the answer of the latest query, the
// bytes are the sum of the entries', never more than allowed.
TEST(Store, CountsItsBytesAsAModelDoes) {
  std::mt19937 random(11);
  const auto any = [&](unsigned below) { return random() % below; };
  const Store::Limits limits{.max_bytes = 2 * kMiB, .max_entry_bytes = 20'000};
  Store store(limits);
  const size_t own = store.counts().bytes;
  std::map<std::string, EntryRef> latest;
  int64_t clock = 0;
  for (int i = 0; i < 60'000; ++i) {
    const std::string name = std::to_string(any(2000));
    EntryRef& known = latest[name];
    switch (any(10)) {
      case 0:
      case 1:
      case 2: {
        Entry entry = test::Unsealed(name, any(25'000));
        entry.tables.resize(any(4));
        entry.sent_at = TimePoint(Duration(++clock));
        EntryRef sealed = Seal(std::move(entry));
        ASSERT_EQ(store.Put(sealed), sealed->bytes <= limits.max_entry_bytes);
        if (sealed->bytes <= limits.max_entry_bytes) known = sealed;
        break;
      }
      case 3:
        if (known == nullptr) break;
        store.Erase(*known);
        EXPECT_EQ(store.Find(KeyOf(name)), nullptr);
        known = nullptr;
        break;
      default:
        const EntryRef found = store.Find(KeyOf(name));
        if (found != nullptr) EXPECT_EQ(found, known);
    }
    ASSERT_LE(store.counts().bytes, limits.max_bytes);
    if (i % 500 != 0) continue;
    size_t bytes = own;
    size_t entries = 0;
    store.EraseIf([&](const Entry& entry) {
      bytes += entry.bytes;
      ++entries;
      return false;
    });
    ASSERT_EQ(store.counts().bytes, bytes);
    ASSERT_EQ(store.counts().entries, entries);
  }
  EXPECT_GT(store.counts().evictions, 1000u);
}

TEST(Seal, GivesBackWhatIsHeldInReserve) {
  Entry entry = test::Unsealed("a", 5000);
  const size_t bytes = Seal(entry)->bytes;
  entry.rows.reserve(100'000);
  EXPECT_EQ(Seal(std::move(entry))->bytes, bytes);
}

// Against the allocator's own count.
TEST(Store, UsesTheMemoryThatItSaysWithinATenth) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "the sanitizers have an allocator of their own";
#endif
#endif
  const auto used = [] {
    const struct mallinfo2 info = mallinfo2();
    return static_cast<double>(info.uordblks + info.hblkhd);
  };
  for (const size_t largest : {200, 3'000, 300'000}) {
    const double before = used();
    Store store({.max_bytes = 48 * kMiB, .max_entry_bytes = kMiB});
    std::mt19937 random(5);
    for (int i = 0; store.counts().evictions < 100; ++i) {
      Entry entry = test::Unsealed(
          "a key of a usual length, some words of SQL " + std::to_string(i), random() % largest);
      entry.rows.reserve(entry.rows.size() * 2);  // as what was captured in pieces
      entry.row_description = std::string(60, 'd');
      entry.tables.resize(1);
      store.Put(Seal(std::move(entry)));
    }
    const double counted = static_cast<double>(store.counts().bytes);
    EXPECT_NEAR((used() - before) / counted, 1.0, 0.1) << largest;
    EXPECT_GT(counted, 0.85 * 48 * kMiB);
  }
}

TEST(Store, ServesSeveralThreads) {
  Store store({.max_bytes = 4 * kMiB, .max_entry_bytes = 20'000});
  constexpr int kThreads = 4;
  std::barrier start(kThreads);
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      start.arrive_and_wait();
      for (int i = 0; i < 20'000; ++i) {
        const std::string name = std::to_string(random() % 3000);
        const EntryRef found = store.Find(KeyOf(name));
        if (found == nullptr) {
          store.Put(Answer(name, random() % 3000));
        } else if (found->key != name) {
          ++wrong;
        } else if (i % 50 == 0) {
          store.Erase(*found);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(store.counts().bytes, 4 * kMiB);
}

}  // namespace
}  // namespace pgweir::cache
