#include "tests/support/proxy_test.h"

namespace pgweir::test {

std::unique_ptr<PostgresServer> ProxyTest::server_;
std::unique_ptr<PgweirProcess> ProxyTest::pgweir_;

PgweirOptions ProxyTest::DefaultOptions(int server_port) {
  return {.pool = "size = 5", .databases = DatabaseToml("*", server_port)};
}

PostgresServer& ProxyTest::server() {
  if (!server_) server_ = std::make_unique<PostgresServer>();
  return *server_;
}

PgweirProcess& ProxyTest::pgweir() {
  if (!pgweir_) pgweir_ = std::make_unique<PgweirProcess>(DefaultOptions(server().port()));
  return *pgweir_;
}

void ProxyTest::TearDownTestSuite() {
  pgweir_.reset();
  server_.reset();
}

void ProxyTest::SetUp() {
  if (pgweir_) log_from_ = pgweir_->log().size();
}

void ProxyTest::TearDown() {
  if (!pgweir_) return;
  bool ended = !pgweir_->Running();
  EXPECT_FALSE(ended) << "pgweir ended with status "
                      << pgweir_->WaitExit(std::chrono::milliseconds(0)).value_or(-1);
  if (HasFailure()) pgweir_->ShowLog(log_from_);
  if (ended) pgweir_.reset();
}

std::string WayName(const testing::TestParamInfo<Way>& info) {
  return info.param == Way::kDirect ? "Direct" : "Through";
}

}  // namespace pgweir::test
