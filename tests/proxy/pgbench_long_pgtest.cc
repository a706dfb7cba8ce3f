// pgbench through pgweir in transaction mode: many clients on 20 backends.

#include "fmt/format.h"
#include "tests/support/proxy_test.h"

namespace pgweir::test {
namespace {

struct Load {
  const char* script;  // -S or TPC-B's
  const char* protocol;
  int clients;
};

class Pgbench : public ProxyTest {
 protected:
  static void SetUpTestSuite() {
    own_ = std::make_unique<PostgresServer>();
    CommandResult filled =
        RunCommand({.argv = {"pgbench", "-i", "-q", "-s", "10", own_->SocketConninfo()}});
    ASSERT_EQ(filled.status, 0) << filled.output;
    process_ =
        std::make_unique<PgweirProcess>(PgweirOptions{.pool = "size = 20\nwait_timeout = \"60s\"",
                                                      .databases = DatabaseToml("*", own_->port()),
                                                      .log = "level = \"info\""});
  }
  static void TearDownTestSuite() {
    process_.reset();
    own_.reset();
  }

  // What pgbench prints, which must have met no error.
  static std::string Run(std::vector<std::string> options, int seconds) {
    std::vector<std::string> argv = {"pgbench", "-n", "-T", std::to_string(seconds)};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.push_back(process_->Conninfo());
    CommandResult result = RunCommand({.argv = argv}, std::chrono::seconds(seconds + 120));
    EXPECT_EQ(result.status, 0) << result.output;
    EXPECT_EQ(result.output.find("ERROR"), std::string::npos) << result.output;
    EXPECT_EQ(result.output.find("aborted"), std::string::npos) << result.output;
    EXPECT_NE(result.output.find("failed transactions: 0 "), std::string::npos) << result.output;
    EXPECT_LE(own_->CountBackends(), kBackends + 1) << "pgweir's look at the catalog included";
    size_t tps = result.output.find("tps = ");
    fmt::print("{}\n", result.output.substr(tps, result.output.find('\n', tps) - tps));
    return result.output;
  }

  static void ExpectThatBalancesAddUp() {
    EXPECT_EQ(own_->Query("select (select sum(abalance) from pgbench_accounts) = a and "
                          "(select sum(tbalance) from pgbench_tellers) = a and "
                          "(select sum(bbalance) from pgbench_branches) = a "
                          "from (select coalesce(sum(delta), 0) as a from pgbench_history) h"),
              "t");
  }

  static constexpr int kBackends = 20;
  static std::unique_ptr<PostgresServer> own_;
  static std::unique_ptr<PgweirProcess> process_;
};

std::unique_ptr<PostgresServer> Pgbench::own_;
std::unique_ptr<PgweirProcess> Pgbench::process_;

class Matrix : public Pgbench, public testing::WithParamInterface<Load> {};

TEST_P(Matrix, RunsWithoutErrorAndBalancesAddUp) {
  const Load& load = GetParam();
  std::vector<std::string> options = {"-j",          "2",  "-M",
                                      load.protocol, "-c", std::to_string(load.clients)};
  if (std::string(load.script) == "-S") options.emplace_back("-S");
  Run(options, 4);
  ExpectThatBalancesAddUp();
}

// Each backend comes to have each statement; then nothing grows any more. Each client has a thread,
// since pgbench prepares without letting others of its thread go on, who may hold the backends.
TEST_F(Pgbench, PreparedForTenMinutesTakesNoMoreMemory) {
  const std::vector<std::string> options = {"-M", "prepared",      "-c", "500",        "-j", "500",
                                            "-b", "select-only@9", "-b", "tpcb-like@1"};
  Run(options, 60);
  const int64_t before = process_->AnonymousBytes();
  Run(options, 540);
  fmt::print("memory: {} KiB, then {} KiB\n", before >> 10, process_->AnonymousBytes() >> 10);
  EXPECT_LT(process_->AnonymousBytes(), before + (1 << 20));
  ExpectThatBalancesAddUp();
}

std::vector<Load> Loads() {
  std::vector<Load> loads;
  for (const char* script : {"-S", "tpcb"}) {
    for (const char* protocol : {"simple", "extended"}) {
      for (int clients : {1, 16, 64, 500}) loads.push_back({script, protocol, clients});
    }
  }
  return loads;
}

INSTANTIATE_TEST_SUITE_P(Each, Matrix, testing::ValuesIn(Loads()),
                         [](const testing::TestParamInfo<Load>& info) {
                           return fmt::format("{}_{}_{}",
                                              info.param.script[0] == '-' ? "select" : "tpcb",
                                              info.param.protocol, info.param.clients);
                         });

}  // namespace
}  // namespace pgweir::test
