#include "tests/support/gated_test.h"

namespace pgweir::test {

void GatedTest::SetUp() {
  ProxyTest::SetUp();
  server().Query("drop table if exists written; create table written (id int)");
  gate_ = std::make_unique<Gate>(server().port());
  process_ = std::make_unique<PgweirProcess>(PgweirOptions{
      .pool = "size = 3", .databases = DatabaseToml("*", gate_->port(), "sslmode=disable")});
}

void GatedTest::TearDown() {
  EXPECT_TRUE(process_->Running());
  process_.reset();
  gate_.reset();
  ProxyTest::TearDown();
}

}  // namespace pgweir::test
