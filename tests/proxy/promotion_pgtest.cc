// A primary moves while clients write: none of what they were told is lost, nothing is done twice.

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "fmt/format.h"
#include "tests/support/pgweir_process.h"
#include "tests/support/postgres_server.h"
#include "tests/support/pq.h"
#include "tests/support/wait_until.h"

namespace pgweir::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr const char* kTable = "create table written (symbol text collate \"C\", id bigint)";
constexpr seconds kResumeWithin{5};

// A client that inserts rows with numbers of its own, each once, until it is stopped; it connects
// again when its connection has ended, and goes on with the next number.
class Writer {
 public:
  Writer(std::string conninfo, std::string symbol, bool extended)
      : conninfo_(std::move(conninfo)), symbol_(std::move(symbol)), extended_(extended) {
    thread_ = std::thread([this] { Run(); });
  }
  ~Writer() { Stop(); }

  void Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

  const std::string& symbol() const { return symbol_; }
  int confirmations() const { return confirmations_; }
  // Once stopped.
  int64_t attempts() const { return attempts_; }
  const std::set<int64_t>& confirmed() const { return confirmed_; }
  const std::map<std::string, int>& errors() const { return errors_; }

 private:
  void Run() {
    std::unique_ptr<Connection> client;
    while (!stop_) {
      if (client == nullptr || !client->ok()) {
        client = std::make_unique<Connection>(conninfo_);
        if (!client->ok()) ++errors_["login: " + client->error()];
        continue;
      }
      const int64_t id = attempts_++;
      const Result result = Insert(*client, id);
      if (result.ok()) {
        confirmed_.insert(id);
        ++confirmations_;
      } else {
        ++errors_[result.sqlstate()];
      }
    }
  }

  Result Insert(const Connection& client, int64_t id) const {
    return extended_
               ? client.ExecParams("insert into written values ($1, $2)",
                                   {symbol_, std::to_string(id)})
               : client.Exec(fmt::format("insert into written values ('{}', {})", symbol_, id));
  }

  const std::string conninfo_, symbol_;
  const bool extended_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> confirmations_ = 0;
  int64_t attempts_ = 0;
  std::set<int64_t> confirmed_;
  std::map<std::string, int> errors_;
  std::thread thread_;
};

class Writers {
 public:
  Writers(const std::string& conninfo, const std::vector<std::string>& symbols) {
    for (const std::string& symbol : symbols) {
      all_.push_back(std::make_unique<Writer>(conninfo, symbol, all_.size() % 2 == 0));
    }
  }

  // Each has written so many more rows.
  bool Advance(int rows, milliseconds within) const {
    std::vector<int> before;
    for (const auto& writer : all_) before.push_back(writer->confirmations());
    return WaitUntil(
        [&] {
          for (size_t i = 0; i < all_.size(); ++i) {
            if (all_[i]->confirmations() < before[i] + rows) return false;
          }
          return true;
        },
        within);
  }
  void Stop() {
    for (const auto& writer : all_) writer->Stop();
  }

  // The rows of `server` are those that were confirmed, each once, and perhaps some whose INSERT
  // was not answered.
  void ExpectRows(const PostgresServer& server) const {
    for (const auto& writer : all_) {
      const Connection connection(server.SocketConninfo());
      const Result rows = connection.Exec(fmt::format(
          "select id, count(*) from written where symbol = '{}' group by id", writer->symbol()));
      ASSERT_TRUE(rows.ok()) << rows.message();
      std::set<int64_t> found;
      for (int row = 0; row < rows.rows(); ++row) {
        const int64_t id = std::stoll(rows.Value(row, 0));
        EXPECT_EQ(rows.Value(row, 1), "1") << "times row " << id << " of " << writer->symbol();
        EXPECT_LT(id, writer->attempts()) << writer->symbol();
        found.insert(id);
      }
      for (const int64_t id : writer->confirmed()) {
        EXPECT_TRUE(found.contains(id)) << "row " << id << " of " << writer->symbol() << " is lost";
      }
      EXPECT_GT(writer->confirmed().size(), 0u);
    }
  }
  // What they were told when they were not told that a row is there.
  void ExpectErrorsAmong(const std::set<std::string>& allowed) const {
    for (const auto& writer : all_) {
      for (const auto& [error, count] : writer->errors()) {
        EXPECT_TRUE(allowed.contains(error)) << count << " times " << error;
      }
    }
  }

 private:
  std::vector<std::unique_ptr<Writer>> all_;
};

// A primary that confirms nothing before its standby has it.
class Promotion : public testing::Test {
 protected:
  Promotion() : primary_(Replicated()) {
    primary_.Query(kTable);
    standby_ = std::make_unique<PostgresServer>(Replicated(&primary_));
    primary_.Query("alter system set synchronous_standby_names = 'walreceiver'");
    primary_.Query("select pg_reload_conf()");
  }
  void TearDown() override {
    if (HasFailure() && pgweir_ != nullptr) pgweir_->ShowLog();
  }

  std::string NodeToml() const {
    return fmt::format(
        "primary = \"host=127.0.0.1 port={} user=postgres\"\n"
        "replicas = [\"host=127.0.0.1 port={}\"]\n",
        primary_.port(), standby_->port());
  }
  void Serve() {
    pgweir_ = std::make_unique<PgweirProcess>(
        PgweirOptions{.pool = "size = 5", .databases = "[databases.postgres]\n" + NodeToml()});
  }
  bool Synchronous() const {
    return WaitUntil(
        [&] { return primary_.Query("select sync_state from pg_stat_replication") == "sync"; },
        seconds(5));
  }
  // A column of SHOW NODES, of the server on this port.
  std::string Shown(int port, const char* column) const {
    const Connection console(pgweir_->Conninfo("postgres", "pgweir"));
    const Result nodes = console.Exec("show nodes");
    for (int row = 0; row < nodes.rows(); ++row) {
      if (nodes.Value(row, 3) != std::to_string(port)) continue;
      return nodes.Value(row, PQfnumber(nodes.get(), column));
    }
    return "no such row";
  }
  bool Shows(int port, const char* column, const std::string& value) const {
    return WaitUntil([&] { return Shown(port, column) == value; }, seconds(5));
  }

  static std::vector<std::string> Clients(std::string_view prefix, int count) {
    std::vector<std::string> symbols;
    for (int i = 0; i < count; ++i) symbols.push_back(fmt::format("{}{}", prefix, i));
    return symbols;
  }

  PostgresServer primary_;
  std::unique_ptr<PostgresServer> standby_;
  std::unique_ptr<PgweirProcess> pgweir_;
};

TEST_F(Promotion, OfTheSynchronousStandbyLosesNothingConfirmed) {
  Serve();
  ASSERT_TRUE(Synchronous());
  ASSERT_TRUE(Shows(standby_->port(), "state", "up"));
  Writers writers(pgweir_->Conninfo(), Clients("c", 8));
  ASSERT_TRUE(writers.Advance(20, seconds(10)));
  primary_.Stop(StopMode::kImmediate);
  ASSERT_EQ(standby_->Query("select pg_promote()"), "t");
  EXPECT_TRUE(writers.Advance(1, kResumeWithin));
  EXPECT_TRUE(writers.Advance(20, seconds(10)));
  writers.Stop();
  writers.ExpectRows(*standby_);
  writers.ExpectErrorsAmong({"08006", "08007", "57P01"});
}

TEST_F(Promotion, CleanSwitchoverLosesNothingAndKeepsTheOldPrimaryForReads) {
  Serve();
  ASSERT_TRUE(Synchronous());
  ASSERT_TRUE(Shows(standby_->port(), "state", "up"));
  Writers writers(pgweir_->Conninfo(), Clients("c", 8));
  ASSERT_TRUE(writers.Advance(20, seconds(10)));
  primary_.Stop(StopMode::kFast);
  ASSERT_EQ(standby_->Query("select pg_promote()"), "t");
  EXPECT_TRUE(writers.Advance(1, kResumeWithin));
  primary_.BecomeReplicaOf(*standby_);
  EXPECT_TRUE(Shows(primary_.port(), "role", "replica"));
  EXPECT_TRUE(Shows(primary_.port(), "state", "up"));
  EXPECT_TRUE(writers.Advance(20, seconds(10)));
  writers.Stop();
  writers.ExpectRows(*standby_);
  writers.ExpectErrorsAmong({"08006", "08007", "57P01"});
  // All that is there is read where the old primary has it again.
  const Connection client(pgweir_->Conninfo());
  EXPECT_TRUE(WaitUntil(
      [&] {
        return client.Value("select inet_server_port() from written limit 1") ==
               std::to_string(primary_.port());
      },
      seconds(5)));
  EXPECT_TRUE(WaitUntil(
      [&] {
        return primary_.Query("select count(*) from written") ==
               standby_->Query("select count(*) from written");
      },
      seconds(5)));
}

// Clients of other nodes don't notice.
TEST_F(Promotion, OfOneShardConcernsItsClientsOnly) {
  PostgresServer other;
  other.Query(kTable);
  PgweirOptions options{.pool = "size = 5"};
  options.databases = "[databases.market]\nshard_map = \"shards.toml\"\n[databases.market.nodes." +
                      fmt::format("btc]\n{}", NodeToml()) +
                      fmt::format(
                          "[databases.market.nodes.rest]\nprimary = "
                          "\"host=127.0.0.1 port={} user=postgres dbname=postgres\"\n",
                          other.port());
  const size_t user = options.databases.find("user=postgres");
  options.databases.insert(user, "dbname=postgres ");
  options.files = {{"shards.toml",
                    "[shards]\n\"BTC*\" = \"btc\"\n\"*\" = \"rest\"\n"
                    "[tables]\nwritten = \"symbol\"\n"}};
  pgweir_ = std::make_unique<PgweirProcess>(options);
  ASSERT_TRUE(Synchronous());
  const std::string market = pgweir_->Conninfo("postgres", "market");
  ASSERT_TRUE(Connection(market).ok());
  ASSERT_TRUE(Shows(standby_->port(), "state", "up"));
  Writers moving(market, Clients("BTC", 4));
  Writers staying(market, Clients("ETH", 4));
  ASSERT_TRUE(moving.Advance(20, seconds(10)));
  primary_.Stop(StopMode::kImmediate);
  EXPECT_TRUE(staying.Advance(20, seconds(5)));
  ASSERT_EQ(standby_->Query("select pg_promote()"), "t");
  EXPECT_TRUE(moving.Advance(1, kResumeWithin));
  EXPECT_TRUE(moving.Advance(20, seconds(10)));
  moving.Stop();
  staying.Stop();
  moving.ExpectRows(*standby_);
  staying.ExpectRows(other);
  moving.ExpectErrorsAmong({"08006", "08007", "57P01"});
  staying.ExpectErrorsAmong({});
}

}  // namespace
}  // namespace pgweir::test
