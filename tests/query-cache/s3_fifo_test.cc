#include "query-cache/s3_fifo.h"

#include <gmock/gmock.h>

#include "tests/query-cache/entries.h"

namespace pgweir::cache {
namespace {

using test::Answer;
using test::KeyOf;

constexpr size_t kRows = 1000;
const size_t kBytes = Answer("a", kRows)->bytes;

// With room for so many entries of kBytes.
class Room {
 public:
  explicit Room(size_t entries) : fifo_(entries * kBytes + Ghosts(entries).bytes()) {}

  void Put(const std::string& name) {
    fifo_.Insert(Answer(name, kRows));
    while (fifo_.IsFull()) fifo_.Evict();
  }
  bool Ask(const std::string& name) { return fifo_.Find(KeyOf(name).hash) != nullptr; }
  // Asks for none: whether it is there.
  bool Has(const std::string& name) {
    for (size_t i = 0; i < fifo_.size(); ++i) {
      if (fifo_.At(i)->key == name) return true;
    }
    return false;
  }
  void Scan(const std::string& prefix, int count) {
    for (int i = 0; i < count; ++i) Put(prefix + std::to_string(i));
  }
  S3Fifo& fifo() { return fifo_; }

 private:
  S3Fifo fifo_;
};

TEST(S3Fifo, FindsWhatWasInserted) {
  Room room(10);
  EXPECT_FALSE(room.Ask("a"));
  room.Put("a");
  EXPECT_TRUE(room.Ask("a"));
  EXPECT_FALSE(room.Ask("b"));
}

TEST(S3Fifo, GivesUpFirstWhatWasNotAskedFor) {
  Room room(20);
  room.Put("asked");
  room.Put("not asked");
  room.Ask("asked");
  room.Ask("asked");
  room.Scan("scan", 40);
  EXPECT_TRUE(room.Has("asked"));
  EXPECT_FALSE(room.Has("not asked"));
}

TEST(S3Fifo, TakesOneQuestionForNoneWhileAnEntryIsNew) {
  Room room(20);
  room.Put("once");
  room.Ask("once");
  room.Scan("scan", 40);
  EXPECT_FALSE(room.Has("once"));
}

TEST(S3Fifo, KeepsItsMainQueueThroughALongScan) {
  Room room(20);
  for (int i = 0; i < 10; ++i) {
    const std::string name = "hot" + std::to_string(i);
    room.Put(name);
    room.Ask(name);
    room.Ask(name);
  }
  room.Scan("scan", 10'000);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(room.Has("hot" + std::to_string(i)));
}

TEST(S3Fifo, RemembersWhatItGaveUpTooEarly) {
  Room room(200);
  room.Scan("old", 100);  // the main queue has to hold something: that many ghosts are kept
  for (int i = 0; i < 100; ++i) {
    room.Ask("old" + std::to_string(i));
    room.Ask("old" + std::to_string(i));
  }
  room.Scan("first", 150);
  ASSERT_FALSE(room.Has("first0"));
  room.Put("first0");
  room.Scan("second", 500);
  EXPECT_TRUE(room.Has("first0"));
}

TEST(S3Fifo, GivesUpWhatIsNoLongerAskedFor) {
  Room room(20);
  const auto make_hot = [&](const std::string& name) {
    room.Put(name);
    for (int i = 0; i < 5; ++i) room.Ask(name);
  };
  for (int i = 0; i < 200; ++i) make_hot("hot" + std::to_string(i));
  EXPECT_FALSE(room.Has("hot0"));
  EXPECT_TRUE(room.Has("hot199"));
}

TEST(S3Fifo, LetsTheLaterQueryStay) {
  S3Fifo fifo(100 * kBytes);
  Entry later = test::Unsealed("a", 50);
  later.sent_at = TimePoint(Duration(2));
  Entry earlier = test::Unsealed("a", 700);
  earlier.sent_at = TimePoint(Duration(1));
  const size_t empty = fifo.bytes();

  const EntryRef kept = Seal(later);
  EXPECT_EQ(fifo.Insert(kept), nullptr);
  const EntryRef late = Seal(earlier);
  EXPECT_EQ(fifo.Insert(late), late);
  EXPECT_EQ(fifo.Find(kept->hash), kept);

  later.sent_at = TimePoint(Duration(3));
  later.rows.resize(900);
  const EntryRef newest = Seal(later);
  EXPECT_EQ(fifo.Insert(newest), kept);
  EXPECT_EQ(fifo.Find(kept->hash), newest);
  EXPECT_EQ(fifo.size(), 1u);
  EXPECT_EQ(fifo.bytes(), empty + newest->bytes);
}

TEST(S3Fifo, ErasesOnlyTheVeryEntry) {
  S3Fifo fifo(100 * kBytes);
  const EntryRef first = Answer("a");
  const EntryRef second = Answer("a");
  fifo.Insert(first);
  EXPECT_EQ(fifo.Erase(*second), nullptr);
  EXPECT_EQ(fifo.Erase(*first), first);
  EXPECT_EQ(fifo.Erase(*first), nullptr);
  EXPECT_EQ(fifo.size(), 0u);
}

TEST(Ghosts, ForgetWhatIsBehindTheWindow) {
  Ghosts ghosts(64);
  const auto hash = [](int i) { return KeyOf(std::to_string(i)).hash; };
  for (int i = 0; i < 4; ++i) ghosts.Add(hash(i));
  EXPECT_FALSE(ghosts.Take(hash(0), 3));
  EXPECT_TRUE(ghosts.Take(hash(1), 3));
  EXPECT_FALSE(ghosts.Take(hash(1), 3)) << "taken already";
  EXPECT_FALSE(ghosts.Take(hash(99), 3));
}

}  // namespace
}  // namespace pgweir::cache
