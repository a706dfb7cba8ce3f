#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/support/pgweir_process.h"
#include "tests/support/postgres_server.h"
#include "tests/support/pq.h"
#include "tests/support/raw_client.h"

namespace pgweir::test {

// One server and one pgweir in front of it for all tests of a suite; both start when first asked
// for, and pgweir again when a test has ended it. Clients log in as postgres by trust, to any
// database, in transaction mode, over at most five backends.
class ProxyTest : public testing::Test {
 protected:
  static void TearDownTestSuite();
  void SetUp() override;
  void TearDown() override;

  static PostgresServer& server();
  static PgweirProcess& pgweir();
  static PgweirOptions DefaultOptions(int server_port);

 private:
  static std::unique_ptr<PostgresServer> server_;
  static std::unique_ptr<PgweirProcess> pgweir_;
  size_t log_from_ = 0;
};

enum class Way { kDirect, kThrough };

// The same expectations of PostgreSQL itself and of pgweir: the first keeps the tests honest.
class BothWays : public ProxyTest, public testing::WithParamInterface<Way> {
 protected:
  static int port() { return GetParam() == Way::kDirect ? server().port() : pgweir().port(); }
  static std::string Conninfo() {
    return GetParam() == Way::kDirect ? server().Conninfo() : pgweir().Conninfo();
  }
};

std::string WayName(const testing::TestParamInfo<Way>& info);

#define PGWEIR_BOTH_WAYS(Suite) \
  INSTANTIATE_TEST_SUITE_P(Each, Suite, testing::Values(Way::kDirect, Way::kThrough), WayName)

}  // namespace pgweir::test
