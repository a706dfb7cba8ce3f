// No confirmed write is lost and none is done twice, wherever a backend dies: the server's own
// count decides.

#include <algorithm>
#include <atomic>
#include <thread>

#include "fmt/format.h"
#include "tests/support/gated_test.h"

namespace pgweir::test {
namespace {

// What a client may conclude of a write.
enum class Outcome { kConfirmed, kRefused, kUnknown };

Outcome Write(const Connection& client, int id, bool explicit_block, bool extended) {
  std::string insert = fmt::format("insert into written values ({})", id);
  auto run = [&](const std::string& sql) {
    return extended ? client.ExecParams(sql, {}) : client.Exec(sql);
  };
  if (!explicit_block) return run(insert).ok() ? Outcome::kConfirmed : Outcome::kUnknown;
  if (!run("begin").ok() || !run(insert).ok()) return Outcome::kRefused;
  Result commit = run("commit");
  if (commit.ok()) return commit.tag() == "COMMIT" ? Outcome::kConfirmed : Outcome::kRefused;
  // A server that is told to end right behind its commit says 57P01 all the same.
  return commit.sqlstate() == "08007" || commit.sqlstate() == "57P01" || commit.sqlstate().empty()
             ? Outcome::kUnknown
             : Outcome::kRefused;
}

// The server's own count decides.
void CheckWritten(const PostgresServer& server, const std::vector<Outcome>& outcomes) {
  Connection direct(server.SocketConninfo());
  Result counts = direct.Exec("select id, count(*) from written group by id");
  std::vector<int> times(outcomes.size());
  for (int row = 0; row < counts.rows(); ++row) {
    times.at(std::stoul(counts.Value(row, 0))) = std::stoi(counts.Value(row, 1));
  }
  for (size_t id = 0; id < outcomes.size(); ++id) {
    EXPECT_LE(times[id], 1) << "write " << id << " was done twice";
    if (outcomes[id] == Outcome::kConfirmed)
      EXPECT_EQ(times[id], 1) << "write " << id << " is lost";
    if (outcomes[id] == Outcome::kRefused)
      EXPECT_EQ(times[id], 0) << "write " << id << " was refused";
  }
}

struct Sweep {
  const char* name;
  Side side;
  Cut cut;
  bool explicit_block;
  bool extended;
};

class DeathAtEveryByte : public GatedTest, public testing::WithParamInterface<Sweep> {};

// The connection to the server is cut after every single byte of a write in turn.
TEST_P(DeathAtEveryByte, NoWriteIsLostOrDoneTwice) {
  const Sweep& sweep = GetParam();
  std::vector<Outcome> outcomes;
  int confirmed_in_a_row = 0;
  for (int64_t at = 1; at < 2000 && confirmed_in_a_row < 3; ++at) {
    Connection client = Client();
    ASSERT_TRUE(client.ok()) << client.error();
    client.Value("select 1");
    gate_->Arm({.side = sweep.side, .count = at, .cut = sweep.cut});
    outcomes.push_back(
        Write(client, static_cast<int>(outcomes.size()), sweep.explicit_block, sweep.extended));
    bool passed = outcomes.back() == Outcome::kConfirmed && !gate_->fired();
    confirmed_in_a_row = passed ? confirmed_in_a_row + 1 : 0;
  }
  EXPECT_GE(outcomes.size(), 20u);
  gate_->Arm({.count = int64_t{1} << 40});
  CheckWritten(server(), outcomes);
}

INSTANTIATE_TEST_SUITE_P(
    Cut, DeathAtEveryByte,
    testing::Values(Sweep{"ToServerBlock", Side::kToServer, Cut::kReset, true, false},
                    Sweep{"ToClientBlock", Side::kToClient, Cut::kReset, true, false},
                    Sweep{"ToServerBlockFinish", Side::kToServer, Cut::kFinish, true, false},
                    Sweep{"ToClientBlockFinish", Side::kToClient, Cut::kFinish, true, false},
                    Sweep{"ToServerSingle", Side::kToServer, Cut::kReset, false, false},
                    Sweep{"ToClientSingle", Side::kToClient, Cut::kReset, false, false},
                    Sweep{"ToServerExtended", Side::kToServer, Cut::kReset, true, true},
                    Sweep{"ToClientExtended", Side::kToClient, Cut::kReset, true, true}),
    [](const testing::TestParamInfo<Sweep>& info) { return info.param.name; });

class DeathByTerminator : public GatedTest {};

// Writers go on while their backends are terminated, one after another.
TEST_F(DeathByTerminator, WritesAddUp) {
  constexpr int kWriters = 6;
  constexpr int kWrites = 150;
  std::vector<Outcome> outcomes(kWriters * kWrites, Outcome::kRefused);
  std::atomic<bool> stop = false;
  std::thread terminator([&] {
    while (!stop) {
      server().Query(
          "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = "
          "'client backend' and pid <> pg_backend_pid() order by random() limit 1");
      std::this_thread::sleep_for(std::chrono::milliseconds(15));
    }
  });
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      auto client = std::make_unique<Connection>(process_->Conninfo());
      for (int i = 0; i < kWrites; ++i) {
        if (!client->ok()) client = std::make_unique<Connection>(process_->Conninfo());
        int id = writer * kWrites + i;
        outcomes[static_cast<size_t>(id)] = Write(*client, id, i % 3 != 0, i % 2 == 0);
        if (client->ok() && client->transaction() != PQTRANS_IDLE) client->Exec("rollback");
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  stop = true;
  terminator.join();
  CheckWritten(server(), outcomes);
  auto confirmed = std::count(outcomes.begin(), outcomes.end(), Outcome::kConfirmed);
  EXPECT_GT(confirmed, kWriters * kWrites / 4);
}

}  // namespace
}  // namespace pgweir::test
