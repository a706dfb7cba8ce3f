// The page at / of admin.http in headless Chromium, in front of four shards and a cache under load.

#include <atomic>
#include <thread>

#include "fmt/format.h"
#include "tests/support/child_process.h"
#include "tests/support/four_shards.h"

namespace pgweir::test {
namespace {

// Reads of all shards, cached ones, an error and a slow one, until it goes.
class Load {
 public:
  explicit Load(std::string conninfo) : thread_([this, conninfo] { Run(conninfo); }) {}
  ~Load() {
    ends_ = true;
    thread_.join();
  }

 private:
  void Run(const std::string& conninfo) {
    const Connection client(conninfo);
    for (int i = 0; !ends_; ++i) {
      for (const char* symbol : {"BTCUSDT", "BTCEUR", "ETHUSDT", "SOLUSDT"}) {
        client.Exec(fmt::format("select price from trades where symbol = '{}'", symbol));
        client.Exec(fmt::format("insert into trades values ({}, '{}', 1)", i, symbol));
      }
      client.Exec("select name from instruments where symbol = 'BTCUSDT' /* pgweir: cache=60s */");
      client.Exec("select '<b>bold</b>', pg_sleep(0.01)");
      if (i % 10 == 0) client.Exec("select no_such_column from trades");
    }
  }

  std::atomic<bool> ends_{false};
  std::thread thread_;
};

class DashboardPage : public FourShards {};

TEST_F(DashboardPage, ShowsWhatGoesOn) {
  const int http = FreePort();
  PgweirOptions options = Options();
  options.databases +=
      fmt::format("[cache]\nenabled = true\n[admin]\nhttp = \"127.0.0.1:{}\"\n", http);
  options.files = {{"shards.toml", Map()}};
  const PgweirProcess process(options);
  const Load load(process.Conninfo("postgres", "market"));
  ChildOptions page{.argv = {PGWEIR_NODE, PGWEIR_DASHBOARD_SOURCES "/dashboard_page.mjs",
                             PGWEIR_PLAYWRIGHT, fmt::format("http://127.0.0.1:{}/", http)}};
  if (const char* pictures = std::getenv("PGWEIR_PICTURES")) page.argv.emplace_back(pictures);
  const CommandResult result = RunCommand(page, std::chrono::seconds(120));
  EXPECT_EQ(result.status, 0) << result.output;
}

}  // namespace
}  // namespace pgweir::test
