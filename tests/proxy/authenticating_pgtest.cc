// The time between being asked for a password and having given it.

#include "fmt/format.h"
#include "tests/support/proxy_test.h"

namespace pgweir::test {
namespace {

class Authenticating : public ProxyTest {
 protected:
  // At the point where pgweir waits for the password.
  RawClient AskedForPassword() {
    if (!process_) {
      process_ = std::make_unique<PgweirProcess>(
          PgweirOptions{.listen = "client_login_timeout = \"700ms\"",
                        .auth = "method = \"md5\"\nusers_file = \"users.txt\"",
                        .databases = DatabaseToml("*", server().port())});
    }
    RawClient client(process_->port());
    client.Send(fe::Startup({{"user", "postgres"}}));
    client.Expect('R');
    return client;
  }

  std::unique_ptr<PgweirProcess> process_;
};

// Rule 16
TEST_F(Authenticating, OtherMessagesAreRefused) {
  for (const std::string& message : {fe::Query("select 1"), fe::Sync(), fe::Typed('y', "")}) {
    RawClient client = AskedForPassword();
    client.Send(message);
    EXPECT_EQ(Field(client.Expect('E'), 'C'), "08P01");
    EXPECT_TRUE(client.ClosedByPeer());
  }
}

// Rule 16
TEST_F(Authenticating, OversizedPasswordIsRefusedBeforeItIsRead) {
  for (uint32_t length : {70'000u, 0x3fffffffu, 0xffffffffu, 3u}) {
    RawClient client = AskedForPassword();
    client.Send("p" + fe::Int32(length));
    EXPECT_EQ(Field(client.Expect('E'), 'C'), "08P01") << length;
    EXPECT_TRUE(client.ClosedByPeer());
  }
}

// Rule 16
TEST_F(Authenticating, MalformedPasswordIsRefused) {
  for (const char* body : {"", "unterminated"}) {
    RawClient client = AskedForPassword();
    client.Send(fe::Typed('p', body));
    EXPECT_EQ(Field(client.Expect('E'), 'C'), "08P01");
  }
}

// Rule 16: whoever says nothing may not stay.
TEST_F(Authenticating, IsBoundedInTime) {
  RawClient asked = AskedForPassword();
  RawClient silent(process_->port());
  silent.set_timeout_ms(5000);
  asked.set_timeout_ms(5000);
  EXPECT_EQ(asked.Expect('E').type, 'E');
  EXPECT_TRUE(asked.ClosedByPeer());
  try {
    EXPECT_EQ(silent.Read().type, 'E');
  } catch (const std::runtime_error& end) {
    EXPECT_NE(std::string(end.what()).find("closed"), std::string::npos);
  }
}

// A login that began before a reload and ends behind it is one of the new configuration.
class AuthenticatingLate : public ProxyTest {
 protected:
  static PgweirOptions Options(std::string_view primary_database) {
    return {.auth =
                "method = \"password\"\nusers_file = \"users.txt\"\n"
                "allow_plain_without_tls = true",
            .databases = DatabaseToml("app", server().port(),
                                      fmt::format("dbname={} user=postgres", primary_database)),
            .users = "\"ann\" \"wonder\"\n\"bob\" \"builder\"\n"};
  }
};

TEST_F(AuthenticatingLate, LeavesPoolsAsTheReloadMadeThem) {
  for (const char* name : {"late_one", "late_two"}) {
    server().Query(fmt::format("create database {}", name));
  }
  PgweirProcess process(Options("late_one"));
  const Connection early(process.Conninfo("ann", "app") + " password=wonder");
  ASSERT_EQ(early.Value("select current_database()"), "late_one");
  RawClient slow(process.port());
  slow.Send(fe::Startup({{"user", "ann"}, {"database", "app"}}));
  slow.Expect('R');
  process.Rewrite(Options("late_two"));
  ASSERT_TRUE(process.Reload("reloaded"));
  EXPECT_EQ(early.Value("select current_database()"), "late_two");
  slow.Send(fe::Password("wonder"));
  slow.ReadUntilReady();
  EXPECT_EQ(Columns(*Find(slow.Query("select current_database()"), 'D')).at(0), "late_two");
  EXPECT_EQ(early.Value("select current_database()"), "late_two");
}

TEST_F(AuthenticatingLate, DoesNotLetInWhomTheReloadTookAway) {
  PgweirProcess process(Options("postgres"));
  RawClient slow(process.port());
  slow.Send(fe::Startup({{"user", "bob"}, {"database", "app"}}));
  slow.Expect('R');
  PgweirOptions without = Options("postgres");
  without.users = "\"ann\" \"wonder\"\n";
  process.Rewrite(without);
  ASSERT_TRUE(process.Reload("reloaded"));
  slow.Send(fe::Password("builder"));
  EXPECT_EQ(Field(slow.Expect('E'), 'C'), "28P01");
}

// A name with a line's end in it can't write a line of its own.
TEST_F(AuthenticatingLate, NamesBeginNoLineOfTheLog) {
  PgweirProcess process(Options("postgres"));
  RawClient client(process.port());
  client.Send(fe::Startup({{"user", "x\n2026-01-01 00:00:00 forged"}, {"database", "app"}}));
  client.Expect('R');
  client.Send(fe::Password("guess"));
  EXPECT_EQ(Field(client.Expect('E'), 'C'), "28P01");
  ASSERT_TRUE(process.WaitLog("forged"));
  EXPECT_EQ(process.log().find("\n2026-01-01"), std::string::npos);
}

}  // namespace
}  // namespace pgweir::test
