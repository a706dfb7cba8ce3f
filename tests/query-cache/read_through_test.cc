// The parts together, as a session will use them, against a server that is an array: whoever reads
// sees what anybody had been told was committed before.

#include <gmock/gmock.h>

#include <array>
#include <cstring>
#include <future>
#include <random>
#include <thread>

#include "query-cache/flights.h"
#include "query-cache/store.h"
#include "tests/query-cache/entries.h"

namespace pgweir::cache {
namespace {

constexpr size_t kRows = 4;
constexpr int kClients = 4;
constexpr int kStatements = 8000;

using Values = std::array<int, kRows>;

const DatabaseId kMarket = DatabaseOf("market");
const TableId kTrades = TableOf(kMarket, "public", "trades");

// Of one row, or of all when it is none.
struct Query {
  std::optional<size_t> row;
  std::string text() const { return row.has_value() ? "row " + std::to_string(*row) : "all rows"; }
  Extent extent() const {
    Extent::Table table{kTrades, {}};
    if (row.has_value()) table.symbols = {SymbolOf(std::to_string(*row))};
    return {kMarket, {table}, false};
  }
};

class ReadThrough : public testing::Test {
 protected:
  int Committed(size_t row) { return committed_[row].load(); }

  void Write(size_t row, bool is_known) {
    Writing writing = versions_.Write(is_known ? Query{row}.extent() : Extent{kMarket, {}, true});
    const int value = rows_[row].fetch_add(1) + 1;
    std::this_thread::yield();  // committed, and nobody has been told
    writing.End();
    int known = committed_[row].load();
    while (known < value && !committed_[row].compare_exchange_weak(known, value)) continue;
  }

  Values Read(const Query& query, std::mt19937& random) {
    const std::string text = query.text();
    const Key key = test::KeyOf(text);
    if (const EntryRef hit = Find(key)) return Count(hits_, hit);
    const Reading reading = versions_.Read(query.extent());
    std::promise<News> promise;
    auto joined =
        flights_.Join(key, reading, [&promise](News news) { promise.set_value(std::move(news)); });
    if (auto* lead = std::get_if<Lead>(&joined)) return Ask(query, key, std::move(*lead), random);
    if (random() % 4 == 0 && std::get<Wait>(joined).Leave()) {
      return ValuesOf(*AskServer(query, key));
    }
    News news = promise.get_future().get();
    if (auto* answer = std::get_if<EntryRef>(&news)) return Count(shared_, *answer);
    if (auto* lead = std::get_if<Lead>(&news)) return Ask(query, key, std::move(*lead), random);
    return ValuesOf(*AskServer(query, key));
  }

  std::atomic<int> hits_ = 0;
  std::atomic<int> shared_ = 0;
  Store store_{{.max_bytes = size_t{1} << 20, .max_entry_bytes = size_t{64} << 10}};

 private:
  static Values ValuesOf(const Entry& entry) {
    Values values;
    std::memcpy(values.data(), entry.rows.data(), sizeof values);
    return values;
  }
  static Values Count(std::atomic<int>& counter, const EntryRef& entry) {
    ++counter;
    return ValuesOf(*entry);
  }

  EntryRef Find(const Key& key) {
    EntryRef entry = store_.Find(key);
    return entry != nullptr && versions_.Holds(entry->reading) ? entry : nullptr;
  }

  EntryRef AskServer(const Query& query, const Key& key) {
    Entry entry;
    entry.key = key.bytes;
    entry.hash = key.hash;
    entry.reading = versions_.Read(query.extent());
    entry.sent_at = Clock::now();
    Values values;
    for (size_t row = 0; row < kRows; ++row) values[row] = rows_[row].load();
    std::this_thread::yield();  // the answer is on its way
    entry.rows.assign(reinterpret_cast<const char*>(values.data()), sizeof values);
    return Seal(std::move(entry));
  }

  Values Ask(const Query& query, const Key& key, Lead lead, std::mt19937& random) {
    if (const EntryRef landed = Find(key)) {
      lead.Land(landed);
      return ValuesOf(*landed);
    }
    const EntryRef answer = AskServer(query, key);
    switch (random() % 8) {
      case 0:
        lead.Fail();
        break;
      case 1:
        lead.GiveUp();
        break;
      default:
        if (versions_.MayStore(answer->reading)) store_.Put(answer);
        lead.Land(answer);
    }
    return ValuesOf(*answer);
  }

  Versions versions_;
  Flights flights_;
  std::array<std::atomic<int>, kRows> rows_{};
  std::array<std::atomic<int>, kRows> committed_{};  // and its client knows
};

TEST_F(ReadThrough, ShowsWhatAnybodyKnewToBeCommitted) {
  std::atomic<int> behind = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      std::mt19937 random(static_cast<unsigned>(i));
      for (int j = 0; j < kStatements; ++j) {
        const size_t row = random() % kRows;
        if (random() % 10 == 0) {
          Write(row, random() % 20 != 0);
          continue;
        }
        Values least;
        for (size_t k = 0; k < kRows; ++k) least[k] = Committed(k);
        const bool one = random() % 2 == 0;
        const Values seen = Read(one ? Query{row} : Query{}, random);
        for (size_t k = 0; k < kRows; ++k) {
          if ((!one || k == row) && seen[k] < least[k]) ++behind;
        }
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(behind, 0);
  EXPECT_GT(hits_, 1000);
  EXPECT_GT(store_.counts().stores, 100u);
}

}  // namespace
}  // namespace pgweir::cache
