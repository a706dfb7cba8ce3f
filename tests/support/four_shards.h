#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/proxy_test.h"

namespace pgweir::test {

// Four nodes, each a database of one server: BTC*, ETH*, XRP* and the rest (ETHW lies on xrp by
// itself), and one database, "whole", with all rows. A CHECK on each node's tables refuses the rows
// of others. The client's database is "market".
class FourShards : public testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void SetUp() override;
  void TearDown() override;

  static const std::vector<std::string>& Nodes();
  // A condition on symbols: those that lie on the node.
  static std::string Owns(std::string_view node);
  static PostgresServer& server() { return *server_; }
  static PgweirProcess& pgweir() { return *pgweir_; }
  static PgweirOptions Options(std::string_view more = "");
  // The shard map, which stands beside the configuration.
  static std::string Map();
  static std::unique_ptr<PgweirProcess> StartPgweir(std::string_view more = "");
  static std::string Conninfo() { return pgweir().Conninfo("postgres", "market"); }
  // On one node, past pgweir.
  static std::string At(std::string_view node, std::string_view sql) {
    return server().Query(sql, node);
  }

 private:
  static std::unique_ptr<PostgresServer> server_;
  static std::unique_ptr<PgweirProcess> pgweir_;
  size_t log_from_ = 0;
};

}  // namespace pgweir::test
