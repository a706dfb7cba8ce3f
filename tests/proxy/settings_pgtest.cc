// Session settings in transaction mode: each client sees its own, whatever backend it is given.

#include "fmt/format.h"
#include "tests/support/proxy_test.h"

namespace pgweir::test {
namespace {

// Two clients take turns on one backend.
class Settings : public ProxyTest {
 protected:
  void SetUp() override {
    ProxyTest::SetUp();
    process_ = std::make_unique<PgweirProcess>(
        PgweirOptions{.pool = "size = 1", .databases = DatabaseToml("*", server().port())});
  }
  void TearDown() override {
    process_.reset();
    ProxyTest::TearDown();
  }

  Connection Client(std::string_view more = "") const {
    return Connection(fmt::format("{} {}", process_->Conninfo(), more));
  }

  std::unique_ptr<PgweirProcess> process_;
};

TEST_F(Settings, OfStartupHoldForTheirClient) {
  Connection one = Client(
      "application_name=one client_encoding=LATIN1 "
      "options='-c DateStyle=German -c TimeZone=Asia/Tokyo -c work_mem=5MB'");
  Connection two = Client("application_name=two options='-c DateStyle=SQL'");
  ASSERT_TRUE(one.ok() && two.ok()) << one.error() << two.error();
  EXPECT_EQ(one.Value("select pg_backend_pid()"), two.Value("select pg_backend_pid()"));
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(one.Value("show application_name"), "one");
    EXPECT_EQ(two.Value("show application_name"), "two");
    EXPECT_EQ(one.Value("select date '2024-03-01'"), "01.03.2024");
    EXPECT_EQ(two.Value("select date '2024-03-01'"), "03/01/2024");
    EXPECT_EQ(one.Value("show TimeZone"), "Asia/Tokyo");
    EXPECT_NE(two.Value("show TimeZone"), "Asia/Tokyo");
    EXPECT_EQ(one.Value("show client_encoding"), "LATIN1");
    EXPECT_EQ(two.Value("show client_encoding"), "UTF8");
    EXPECT_EQ(one.Value("show work_mem"), "5MB");
    EXPECT_EQ(two.Value("show work_mem"), "4MB");
  }
}

// Rule 62: what the server reports after a SET reaches the client, and holds for it.
TEST_F(Settings, ReportedOnesHoldAfterSet) {
  Connection one = Client();
  Connection two = Client();
  one.Exec(
      "set DateStyle = 'German'; set application_name = 'renamed'; set client_encoding = 'LATIN1'");
  EXPECT_EQ(one.Parameter("DateStyle"), "German, DMY");
  EXPECT_EQ(one.Parameter("application_name"), "renamed");
  EXPECT_EQ(one.Parameter("client_encoding"), "LATIN1");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(two.Value("show DateStyle"), "ISO, MDY");
    EXPECT_EQ(two.Value("show application_name"), "");
    EXPECT_EQ(two.Value("show client_encoding"), "UTF8");
    EXPECT_EQ(one.Value("show DateStyle"), "German, DMY");
    EXPECT_EQ(one.Value("show application_name"), "renamed");
    EXPECT_EQ(one.Value("show client_encoding"), "LATIN1");
  }
}

// Rule 71: a rollback takes a SET back.
TEST_F(Settings, RolledBackSetIsForgotten) {
  Connection one = Client();
  Connection two = Client();
  one.Exec("begin; set TimeZone = 'Asia/Tokyo'");
  EXPECT_EQ(one.Parameter("TimeZone"), "Asia/Tokyo");
  one.Exec("rollback");
  std::string zone = two.Value("show TimeZone");
  EXPECT_EQ(one.Value("show TimeZone"), zone);
  EXPECT_EQ(one.Parameter("TimeZone"), zone);
}

// Rule 71: SET LOCAL ends with its transaction.
TEST_F(Settings, LocalOnesEndWithTheirTransaction) {
  Connection one = Client();
  one.Exec("begin; set local DateStyle = 'German'");
  EXPECT_EQ(one.Value("show DateStyle"), "German, DMY");
  one.Exec("commit");
  EXPECT_EQ(one.Value("show DateStyle"), "ISO, MDY");
  EXPECT_EQ(one.Parameter("DateStyle"), "ISO, MDY");
}

// Rule 62: pgweir's own settings of a backend are not told to the client as changes.
TEST_F(Settings, RestoringThemIsNotReported) {
  RawClient one = RawClient::Login(process_->port());
  Connection two = Client("options='-c DateStyle=German' application_name=two");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(two.Value("select date '2024-03-01'"), "01.03.2024");
    EXPECT_EQ(Types(one.Query("select 1")), "TDCZ");
    one.Send(fe::Extended("select 1") + fe::Sync());
    EXPECT_EQ(Types(one.ReadUntilReady()), "12TDCZ");
  }
}

// Rule 8: a value goes to the server quoted, never pasted.
TEST_F(Settings, ValuesAreQuoted) {
  server().Query("drop table if exists precious; create table precious ()");
  Connection one = Client("application_name='x\\'; drop table precious; --'");
  ASSERT_TRUE(one.ok()) << one.error();
  EXPECT_EQ(one.Value("show application_name"), "x'; drop table precious; --");
  EXPECT_EQ(server().Query("select count(*) from pg_class where relname = 'precious'"), "1");
}

}  // namespace
}  // namespace pgweir::test
