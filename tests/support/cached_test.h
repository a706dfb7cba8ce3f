#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/pgweir_process.h"
#include "tests/support/postgres_server.h"
#include "tests/support/pq.h"
#include "tests/support/raw_client.h"

namespace pgweir::test {

// One server and one pgweir with a query cache for all tests of a suite, whose SetUpTestSuite calls
// Begin(). Each test begins with an empty cache and with counter (n int), one row.
//
// Whether an answer was the cache's is seen by what it doesn't know: a change made behind pgweir's
// back, on a connection of its own to the server.
class CachedTest : public testing::Test {
 protected:
  // The rule of most tests: every read.
  static constexpr std::string_view kEveryRead =
      "[[cache.rules]]\npattern = \".\"\nttl = \"60s\"\n";

  // `schema` is carried out before pgweir starts, which so knows all of it.
  static void Begin(std::string_view schema, std::string_view rules = kEveryRead,
                    const PostgresOptions& server_options = {}, std::string_view cache = "");
  static void TearDownTestSuite();
  void SetUp() override;
  void TearDown() override;

  static PostgresServer& server() { return *server_; }
  static PgweirProcess& pgweir() { return *pgweir_; }
  static int port() { return pgweir_->port(); }

  // Databases "postgres" and "twin", which is the same one of the server, for two users beside
  // postgres: alice and bob.
  static PgweirOptions Options(std::string_view rules = kEveryRead, std::string_view cache = "",
                               std::string_view pool = "size = 5");
  // Starts another one, with these.
  static std::unique_ptr<PgweirProcess> Start(const PgweirOptions& options);

  static Connection Client(std::string_view user = "postgres",
                           std::string_view database = "postgres", std::string_view more = "");
  // A column of SHOW CACHE.
  static int64_t Shown(const char* column, const PgweirProcess& process = *pgweir_);
  static Result Console(std::string_view command, const PgweirProcess& process = *pgweir_);

  // Past pgweir.
  static void Behind(std::string_view sql) { server_->Query(sql); }
  // So that who reads the counter from the server sees another number.
  static void Count() { Behind("update counter set n = n + 1"); }
  static std::string Counter() { return server_->Query("select n from counter"); }

  static void Do(const Connection& client, std::string_view sql);

  using Read = std::function<std::string()>;
  // Whether what is read, the counter in it, comes from the cache when it is read again.
  static bool Repeats(const Read& read);
  // Likewise a statement of this client's.
  static bool Repeats(const Connection& client, std::string_view sql);
  // What was read before a change is not known any more: reads, has it changed through pgweir, by
  // `write`, and reads what was changed before behind pgweir's back.
  static bool Outdates(const std::function<void()>& write, const Read& read);

  // Until pgweir knows the server's catalog as it now is, and so has its cache answer reads of the
  // counter. It does to the end of the test: what no client needs it forgets. False after a while.
  static bool WaitKnown(const PgweirProcess& process = *pgweir_,
                        std::string_view database = "postgres");

 private:
  static std::unique_ptr<PostgresServer> server_;
  static std::unique_ptr<PgweirProcess> pgweir_;
  static std::vector<Connection> keepers_;  // clients for whose sake it knows the catalog
  size_t log_from_ = 0;
};

}  // namespace pgweir::test
