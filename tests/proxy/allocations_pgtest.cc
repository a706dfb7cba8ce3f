// Once it is warm, pgweir serves a statement without asking the allocator for anything.

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstring>
#include <functional>
#include <thread>

#include "tests/support/four_shards.h"
#include "tests/support/temp_folder.h"

namespace pgweir::test {
namespace {

constexpr int kClients = 4;  // of two backends
constexpr int kStatements = 2000;
// What else a worker does in that time: the statistics of a second, a statement that the slow log
// takes as a sample.
constexpr uint64_t kElse = 40;

class Allocations : public FourShards {
 protected:
  static void SetUpTestSuite() {
    FourShards::SetUpTestSuite();
    PgweirOptions options = Options();
    options.listen = "workers = 1";
    options.pool = "size = 2";
    options.log = "level = \"info\"";
    options.databases += DatabaseToml("whole", server().port());
    options.databases += DatabaseToml("cached", server().port(), "dbname=whole");
    options.databases +=
        "[cache]\nenabled = true\n[[cache.rules]]\npattern = \"instruments\"\nttl = \"60s\"\n";
    options.files = {{"shards.toml", Map()}};
    sums_ = new TempFolder("allocations");
    options.env = {"LD_PRELOAD=" PGWEIR_COUNT_ALLOCATIONS,
                   "PGWEIR_COUNTED_ALLOCATIONS=" + sums_->File("sum")};
    counted_ = new PgweirProcess(options);
  }
  static void TearDownTestSuite() {
    delete counted_;
    delete sums_;
    FourShards::TearDownTestSuite();
  }

  void SetUp() override {
    FourShards::SetUp();
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    GTEST_SKIP() << "the sanitizer has an allocator of its own";
#endif
  }

  static uint64_t Allocated() {
    uint64_t sum = 0;
    const std::string bytes = ReadFile(sums_->File("sum"));
    EXPECT_EQ(bytes.size(), sizeof sum);
    std::memcpy(&sum, bytes.data(), std::min(bytes.size(), sizeof sum));
    return sum;
  }

  static std::vector<RawClient> Clients(std::string_view database) {
    std::vector<RawClient> clients;
    for (int i = 0; i < kClients; ++i) {
      clients.push_back(RawClient::Login(counted_->port(), "postgres", database));
    }
    return clients;
  }

  // What `make(n)` gives, which is answered by so many ReadyForQuery and no error, is sent by the
  // clients in turn, two of them at once.
  static void Serve(std::vector<RawClient>& clients, const std::function<std::string(int)>& make,
                    int answers) {
    for (int n = 0; n < kStatements; n += 2) {
      RawClient& one = clients[n % kClients];
      RawClient& other = clients[(n + 1) % kClients];
      one.Send(make(n));
      other.Send(make(n + 1));
      for (RawClient* client : {&one, &other}) {
        for (int i = 0; i < answers; ++i) {
          EXPECT_EQ(Types(client->ReadUntilReady()).find('E'), std::string::npos);
        }
      }
    }
  }

  static void ExpectNone(std::vector<RawClient>& clients,
                         const std::function<std::string(int)>& make, int answers = 1) {
    Serve(clients, make, answers);
    const uint64_t before = Allocated();
    Serve(clients, make, answers);
    const uint64_t made = Allocated() - before;
    EXPECT_LE(made, kElse) << fmt::format("{:.2f} a statement",
                                          static_cast<double>(made) / kStatements);
  }

  static void Prepare(std::vector<RawClient>& clients, std::string_view sql) {
    for (RawClient& client : clients) {
      client.Send(fe::Parse("look_up", sql) + fe::Sync());
      client.ReadUntilReady();
    }
  }

  static std::string Symbol(int n) {
    static constexpr std::string_view kNames[] = {"BTC", "ETH", "XRP", "SOL"};
    return fmt::format("{}{:03}", kNames[n % 4], n % 50);
  }
  static std::string Simple(int n) {
    return fe::Query(
        fmt::format("select price from trades where symbol = '{}' and id = {}", Symbol(n), n));
  }
  static constexpr std::string_view kLookUp =
      "select price from trades where symbol = $1 and id = $2";
  static std::string Extended(int n) {
    return fe::Extended(kLookUp, {Symbol(n), std::to_string(n)}) + fe::Sync();
  }
  static std::string Prepared(int n) {
    return fe::Bind("", "look_up", {Symbol(n), std::to_string(n)}) + fe::Describe('P', "") +
           fe::Execute("") + fe::Sync();
  }

 private:
  static TempFolder* sums_;
  static PgweirProcess* counted_;
};

TempFolder* Allocations::sums_ = nullptr;
PgweirProcess* Allocations::counted_ = nullptr;

// That it counts at all.
TEST_F(Allocations, ALoginTakesSome) {
  const uint64_t before = Allocated();
  Clients("whole");
  EXPECT_GT(Allocated() - before, 10u);
}

TEST_F(Allocations, SimpleQueries) {
  std::vector<RawClient> clients = Clients("whole");
  ExpectNone(clients, Simple);
}

// Backends that have been idle for a while are looked at first.
TEST_F(Allocations, QueriesNowAndThen) {
  std::vector<RawClient> clients = Clients("whole");
  const auto later = [](int n) {
    std::this_thread::sleep_for(std::chrono::microseconds(1200));
    return Simple(n);
  };
  ExpectNone(clients, later);
}

TEST_F(Allocations, TransactionsOfSimpleQueries) {
  std::vector<RawClient> clients = Clients("whole");
  const auto transaction = [](int n) {
    return fe::Query("begin") + Simple(n) + fe::Query("commit");
  };
  ExpectNone(clients, transaction, 3);
}

TEST_F(Allocations, ExtendedQueries) {
  std::vector<RawClient> clients = Clients("whole");
  ExpectNone(clients, Extended);
}

TEST_F(Allocations, PreparedQueries) {
  std::vector<RawClient> clients = Clients("whole");
  Prepare(clients, kLookUp);
  ExpectNone(clients, Prepared);
}

TEST_F(Allocations, PipelinesOfPreparedQueries) {
  std::vector<RawClient> clients = Clients("whole");
  Prepare(clients, kLookUp);
  ExpectNone(clients, [](int n) {
    std::string flight;
    for (int i = 0; i < 20; ++i) {
      flight += fe::Bind("", "look_up", {Symbol(n + i), std::to_string(n)}) +
                fe::Describe('P', "") + fe::Execute("");
    }
    return flight + fe::Sync();
  });
}

TEST_F(Allocations, RoutedSimpleQueries) {
  std::vector<RawClient> clients = Clients("market");
  ExpectNone(clients, Simple);
}

TEST_F(Allocations, RoutedExtendedQueries) {
  std::vector<RawClient> clients = Clients("market");
  ExpectNone(clients, Extended);
}

TEST_F(Allocations, RoutedPreparedQueries) {
  std::vector<RawClient> clients = Clients("market");
  Prepare(clients, kLookUp);
  ExpectNone(clients, Prepared);
}

TEST_F(Allocations, CachedAnswers) {
  std::vector<RawClient> clients = Clients("cached");
  ExpectNone(clients, [](int) { return fe::Query("select name from instruments"); });
}

}  // namespace
}  // namespace pgweir::test
