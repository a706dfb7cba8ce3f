#include "query-cache/versions.h"

#include <gmock/gmock.h>

#include <map>
#include <random>
#include <set>
#include <thread>

namespace pgweir::cache {
namespace {

const DatabaseId kMarket = DatabaseOf("market");
const TableId kTrades = TableOf(kMarket, "public", "trades");
const TableId kUsers = TableOf(kMarket, "public", "users");
const SymbolId kBtc = SymbolOf("BTC");
const SymbolId kEth = SymbolOf("ETH");

Extent Whole(TableId table) { return {kMarket, {{table, {}}}, false}; }
Extent Of(TableId table, std::vector<SymbolId> symbols) {
  return {kMarket, {{table, std::move(symbols)}}, false};
}
Extent Anything() { return {kMarket, {}, true}; }

// Whether a read of `read` still holds once `write` is committed.
bool Survives(const Extent& read, const Extent& write) {
  Versions versions;
  const Reading reading = versions.Read(read);
  EXPECT_TRUE(versions.MayStore(reading));
  versions.Bump(write);
  return versions.Holds(reading);
}

TEST(Versions, OutdateWhatAWriteTouches) {
  EXPECT_FALSE(Survives(Whole(kTrades), Whole(kTrades)));
  EXPECT_TRUE(Survives(Whole(kTrades), Whole(kUsers)));
  EXPECT_FALSE(Survives(Of(kTrades, {kBtc}), Of(kTrades, {kBtc})));
  EXPECT_TRUE(Survives(Of(kTrades, {kBtc}), Of(kTrades, {kEth})));
  EXPECT_TRUE(Survives(Of(kTrades, {kBtc}), Of(kUsers, {kBtc})));
}

TEST(Versions, OutdateAnswersOfAWholeTableByItsSymbolsAndTheReverse) {
  EXPECT_FALSE(Survives(Whole(kTrades), Of(kTrades, {kBtc})));
  EXPECT_FALSE(Survives(Of(kTrades, {kBtc}), Whole(kTrades)));
}

TEST(Versions, OutdateAnswersOfOneOfSeveralTablesOrSymbols) {
  const Extent joined{kMarket, {{kUsers, {}}, {kTrades, {kBtc, kEth}}}, false};
  EXPECT_FALSE(Survives(joined, Whole(kUsers)));
  EXPECT_FALSE(Survives(joined, Of(kTrades, {kEth})));
  EXPECT_TRUE(Survives(joined, Of(kTrades, {SymbolOf("XRP")})));
  EXPECT_FALSE(Survives(Of(kTrades, {kEth}), joined));
}

// Situations 27 and 30: EXECUTE, DO, CALL or a text that isn't understood may write anything.
TEST(Versions, OutdateTheWholeDatabaseByAnUnknownWrite) {
  EXPECT_FALSE(Survives(Whole(kTrades), Anything()));
  EXPECT_FALSE(Survives(Of(kUsers, {kBtc}), Anything()));
  EXPECT_FALSE(Survives(Extent{kMarket, {}, false}, Anything()));
  EXPECT_TRUE(Survives(Whole(kTrades), Extent{DatabaseOf("other"), {}, true}));
}

TEST(Versions, NeverHoldForWhatReadsTheUnknown) {
  const Versions versions;
  EXPECT_FALSE(versions.Holds(versions.Read(Anything())));
  EXPECT_FALSE(versions.Read(Anything()).settled());
  EXPECT_FALSE(versions.Holds(Reading()));
}

// Situation 36: the query's snapshot is older than a write that is committed before the answer is
// stored.
TEST(Versions, RefuseAnAnswerThatAWriteHasOvertaken) {
  Versions versions;
  const Reading reading = versions.Read(Whole(kTrades));
  Writing writing = versions.Write(Of(kTrades, {kBtc}));
  EXPECT_FALSE(versions.MayStore(reading)) << "between COMMIT and its answer";
  writing.End();
  EXPECT_FALSE(versions.MayStore(reading));
}

TEST(Versions, RefuseAnAnswerReadWhileAWriteIsOnItsWay) {
  Versions versions;
  Writing writing = versions.Write(Whole(kTrades));
  const Reading during = versions.Read(Whole(kTrades));
  EXPECT_FALSE(during.settled());
  EXPECT_FALSE(versions.MayStore(during));
  EXPECT_TRUE(versions.MayStore(versions.Read(Whole(kUsers))));
  writing.End();
  EXPECT_FALSE(versions.MayStore(during));
  EXPECT_TRUE(versions.MayStore(versions.Read(Whole(kTrades))));
}

TEST(Versions, WaitForTheLastOfSeveralWrites) {
  Versions versions;
  Writing one = versions.Write(Whole(kTrades));
  Writing other = versions.Write(Of(kTrades, {kEth}));
  one.End();
  EXPECT_FALSE(versions.MayStore(versions.Read(Whole(kTrades))));
  EXPECT_TRUE(versions.MayStore(versions.Read(Of(kTrades, {kBtc}))));
  other.End();
  EXPECT_TRUE(versions.MayStore(versions.Read(Whole(kTrades))));
}

// Situation 37: the connection dies after COMMIT was sent.
TEST(Writing, EndsWhenItIsDestroyed) {
  Versions versions;
  Reading between;
  {
    Writing writing = versions.Write(Whole(kTrades));
    between = versions.Read(Whole(kTrades));
  }
  EXPECT_FALSE(versions.Holds(between));
  EXPECT_TRUE(versions.MayStore(versions.Read(Whole(kTrades))));
}

TEST(Writing, EndsOnceHoweverItIsMoved) {
  Versions versions;
  Writing writing = versions.Write(Whole(kTrades));
  Writing moved = std::move(writing);
  writing.End();  // NOLINT(bugprone-use-after-move): nothing, as it is to be
  EXPECT_FALSE(versions.MayStore(versions.Read(Whole(kTrades))));
  moved = versions.Write(Whole(kUsers));
  EXPECT_TRUE(versions.MayStore(versions.Read(Whole(kTrades))));
  EXPECT_FALSE(versions.MayStore(versions.Read(Whole(kUsers))));
  moved.End();
  moved.End();
  EXPECT_TRUE(versions.MayStore(versions.Read(Whole(kUsers))));
}

TEST(Writing, CountsOnceWhereItsPartsShareASlot) {
  Versions versions(1);
  Writing writing = versions.Write(Extent{kMarket, {{kTrades, {kBtc, kEth}}, {kUsers, {}}}, true});
  EXPECT_FALSE(versions.MayStore(versions.Read(Whole(kUsers))));
  writing.End();
  EXPECT_TRUE(versions.MayStore(versions.Read(Whole(kUsers))));
}

// Against the plain rule: two extents meet when they share a symbol, or a table of which one of
// them means the whole. Few slots, so that they are shared: then more is outdated, never less.
TEST(Versions, OutdateWhateverMeetsTheWrite) {
  std::mt19937 random(7);
  const auto any = [&](int below) {
    return static_cast<int>(random() % static_cast<unsigned>(below));
  };
  using Plain = std::map<int, std::set<int>>;
  const auto make = [&] {
    Plain plain;
    for (int i = any(3) + 1; i > 0; --i) {
      std::set<int>& symbols = plain[any(4)];
      for (int j = any(3); j > 0; --j) symbols.insert(any(5));
    }
    return plain;
  };
  const auto extent = [](const Plain& plain) {
    Extent made{kMarket, {}, false};
    for (const auto& [table, symbols] : plain) {
      Extent::Table& of = made.tables.emplace_back();
      of.id = TableOf(kMarket, "public", std::to_string(table));
      for (const int symbol : symbols) of.symbols.push_back(SymbolOf(std::to_string(symbol)));
    }
    return made;
  };
  const auto meet = [](const Plain& a, const Plain& b) {
    for (const auto& [table, symbols] : a) {
      const auto other = b.find(table);
      if (other == b.end()) continue;
      if (symbols.empty() || other->second.empty()) return true;
      for (const int symbol : symbols) {
        if (other->second.contains(symbol)) return true;
      }
    }
    return false;
  };
  Versions many;
  Versions few(8);
  int spared = 0;
  for (int i = 0; i < 5000; ++i) {
    const Plain read = make();
    const Plain write = make();
    const Reading in_many = many.Read(extent(read));
    const Reading in_few = few.Read(extent(read));
    many.Bump(extent(write));
    few.Bump(extent(write));
    EXPECT_EQ(many.Holds(in_many), !meet(read, write));
    if (meet(read, write)) EXPECT_FALSE(few.Holds(in_few));
    spared += few.Holds(in_few) ? 1 : 0;
  }
  EXPECT_GT(spared, 0);
}

// A row that writers add to between Begin and End, as a server commits somewhere between a query
// and its answer; readers copy it after a Reading. What may be stored must be what is there as long
// as it holds.
TEST(Versions, NeverHoldAnOldAnswerWhateverTheThreadsDo) {
  constexpr int kRounds = 20000;
  Versions versions;
  std::atomic<int> row{0};
  std::atomic<bool> writing{true};
  std::thread writer([&] {
    for (int i = 0; i < kRounds; ++i) {
      Writing on_its_way = versions.Write(Of(kTrades, {kBtc}));
      row.fetch_add(1);
    }
    writing = false;
  });
  int wrong = 0;
  do {
    const Reading reading = versions.Read(Whole(kTrades));
    const int answer = row.load();
    if (!versions.MayStore(reading)) continue;
    const int now = row.load();
    if (versions.Holds(reading) && now != answer) ++wrong;
  } while (writing);
  writer.join();
  EXPECT_EQ(wrong, 0);
  const Reading last = versions.Read(Whole(kTrades));
  EXPECT_TRUE(versions.MayStore(last));
  EXPECT_EQ(row.load(), kRounds);
}

}  // namespace
}  // namespace pgweir::cache
