// Users whose secrets the database knows.

#include <atomic>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "tests/support/proxy_test.h"

namespace pgweir::test {
namespace {

class AuthQuery : public ProxyTest {
 protected:
  void SetUp() override {
    ProxyTest::SetUp();
    server().Query(
        "do $$ begin create role carol login; create role asker login superuser password 'ask'; "
        "exception when duplicate_object then null; end $$; "
        "alter role carol password 'wonder' valid until 'infinity'");
  }

  static PgweirOptions Options(std::string_view auth, std::string_view method = "scram-sha-256") {
    return {.auth = fmt::format("method = \"{}\"\nallow_plain_without_tls = true\nusers_file = "
                                "\"users.txt\"\nfailure_delay = \"0s\"\n{}",
                                method, auth),
            .databases = DatabaseToml("*", server().port(), "user=postgres"),
            .users = "\"dora\" \"of the file\"\n\"asker\" \"ask\"\n"};
  }
  static std::string Refusal(const PgweirProcess& process, std::string_view user,
                             std::string_view password) {
    Connection connection(fmt::format("{} password='{}'", process.Conninfo(user), password));
    EXPECT_EQ(connection.ok(), connection.refusal().empty()) << connection.error();
    return connection.refusal();
  }
  static void OutliveFreshness() { std::this_thread::sleep_for(std::chrono::milliseconds(1100)); }
};

TEST_F(AuthQuery, LetsInWhomTheDatabaseKnows) {
  for (const char* method : {"scram-sha-256", "md5", "password"}) {
    PgweirProcess process(Options("query = \"default\"", method));
    EXPECT_EQ(Refusal(process, "carol", "wonder"), "") << method;
    EXPECT_EQ(Refusal(process, "carol", "wander"), "28P01") << method;
    EXPECT_EQ(Refusal(process, "nobody", "wonder"), "28P01") << method;
    // No password is stored.
    EXPECT_EQ(Refusal(process, "postgres", "postgres"), "28P01") << method;
  }
}

TEST_F(AuthQuery, UsersFileComesFirst) {
  server().Query("drop role if exists dora; create role dora login password 'of the server'");
  PgweirProcess process(Options("query = \"default\""));
  EXPECT_EQ(Refusal(process, "dora", "of the file"), "");
  EXPECT_EQ(Refusal(process, "dora", "of the server"), "28P01");
}

TEST_F(AuthQuery, IsOffByDefault) {
  PgweirProcess process(Options(""));
  EXPECT_EQ(Refusal(process, "carol", "wonder"), "28P01");
}

TEST_F(AuthQuery, TimeOfASecretIsHonoured) {
  server().Query("alter role carol valid until '2020-01-01'");
  PgweirProcess process(Options("query = \"default\"\nquery_cache = \"0s\""));
  EXPECT_EQ(Refusal(process, "carol", "wonder"), "28P01");
  server().Query("alter role carol valid until 'tomorrow'");
  EXPECT_EQ(Refusal(process, "carol", "wonder"), "");
}

// Nobody is asked meanwhile, and still the secret's time ends.
TEST_F(AuthQuery, RememberedSecretEndsInTime) {
  PgweirProcess process(Options("query = \"default\"\nquery_cache = \"1h\""));
  server().Query("alter role carol valid until '" +
                 server().Query("select now() + interval '3 s'") + "'");
  EXPECT_EQ(Refusal(process, "carol", "wonder"), "");
  std::this_thread::sleep_for(std::chrono::milliseconds(3100));
  EXPECT_EQ(Refusal(process, "carol", "wonder"), "28P01");
}

TEST_F(AuthQuery, AnswersAreRemembered) {
  server().Query(
      "create table if not exists asked(name text); truncate asked; create or replace function "
      "ask(n text, out u name, out p text) language plpgsql as $$ begin insert into public.asked "
      "values (n); select usename, passwd into u, p from pg_shadow where usename = n; end $$");
  PgweirProcess process(Options("query = \"select * from ask($1)\""));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Refusal(process, "carol", "wonder"), "");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Refusal(process, "nobody", "wonder"), "28P01");
  EXPECT_EQ(server().Query("select string_agg(name, ',' order by name) from asked"),
            "carol,nobody");
  EXPECT_EQ(server().CountBackends("application_name = 'pgweir auth'"), 1);
  // A reload forgets.
  ASSERT_TRUE(process.Reload("reloaded"));
  EXPECT_EQ(Refusal(process, "carol", "wonder"), "");
  EXPECT_EQ(server().Query("select count(*) from asked where name = 'carol'"), "2");
}

TEST_F(AuthQuery, ChangedPasswordIsNoticed) {
  for (const char* method : {"password", "scram-sha-256"}) {
    server().Query("alter role carol password 'wonder'");
    PgweirProcess process(Options("query = \"default\"\nquery_cache = \"1h\"", method));
    EXPECT_EQ(Refusal(process, "carol", "wonder"), "");
    server().Query("alter role carol password 'changed'");
    OutliveFreshness();
    // SCRAM is bound to the salt of the old secret; the next login is not.
    const bool at_once = std::string_view(method) == "password";
    EXPECT_EQ(Refusal(process, "carol", "changed"), at_once ? "" : "28P01");
    EXPECT_EQ(Refusal(process, "carol", "changed"), "");
    EXPECT_EQ(Refusal(process, "carol", "wonder"), "28P01");
  }
}

TEST_F(AuthQuery, RunsAsItsOwnUser) {
  const std::string query =
      "query = \"select usename, passwd from pg_shadow where usename = $1 and current_user = "
      "'asker'\"";
  {
    PgweirProcess process(Options(query));
    EXPECT_EQ(Refusal(process, "carol", "wonder"), "28P01");
  }
  PgweirProcess process(Options(query + "\nquery_user = \"asker\""));
  EXPECT_EQ(Refusal(process, "carol", "wonder"), "");
}

TEST_F(AuthQuery, AsksTheDatabaseThatIsNamed) {
  server().Query("select 1");
  PgweirOptions options = Options(
      "query = \"select usename, passwd from pg_shadow where usename = $1 and current_database() = "
      "'template1'\"\nquery_database = \"template1\"");
  PgweirProcess process(options);
  EXPECT_EQ(Refusal(process, "carol", "wonder"), "");
}

// Rule 78: nothing that a client sets reaches the connection that knows all secrets.
TEST_F(AuthQuery, ClientsSettingsDoNotReachIt) {
  PgweirProcess process(
      Options("query = \"select usename, passwd from pg_shadow where usename = $1 and "
              "current_setting('search_path') !~ 'evil'\"\nquery_cache = \"0s\""));
  for (int i = 0; i < 3; ++i) {
    Connection carol(process.Conninfo("carol") +
                     " password=wonder options='-c search_path=evil -c role=carol'");
    ASSERT_TRUE(carol.ok()) << carol.error();
    EXPECT_EQ(carol.Value("show search_path"), "evil");
  }
}

// Rule 17, also where the database is asked.
TEST_F(AuthQuery, UnknownUserHasAStableSalt) {
  PgweirProcess process(Options("query = \"default\"\nquery_cache = \"0s\""));
  auto salt = [&](const char* user, const char* database) {
    RawClient client(process.port());
    client.Send(fe::Startup({{"user", user}, {"database", database}}));
    client.Expect('R');
    std::string first = "n,,n=,r=abcdefghijklmnopqr";
    client.Send(fe::Typed('p', std::string("SCRAM-SHA-256") + '\0' +
                                   fe::Int32(static_cast<uint32_t>(first.size())) + first));
    std::string body = client.Expect('R').body;
    return body.substr(body.find(",s="));
  };
  EXPECT_EQ(salt("nobody", "postgres"), salt("nobody", "postgres"));
  EXPECT_EQ(salt("nobody", "postgres"), salt("nobody", "no_such_database"));
  EXPECT_EQ(salt("nobody", "postgres").size(), salt("carol", "postgres").size());
}

TEST_F(AuthQuery, StrangeAnswersLetNobodyIn) {
  for (const char* query :
       {"select 'other', 'wonder' where $1 <> ''", "select $1", "select 1 / length($1) - 1 / 0",
        "select usename, passwd, 'soon' from pg_shadow where usename = $1", "begin"}) {
    PgweirProcess process(Options(fmt::format("query = \"{}\"", query)));
    EXPECT_NE(Refusal(process, "carol", "wonder"), "") << query;
  }
}

TEST_F(AuthQuery, UnreachableDatabaseIsSaidInTime) {
  PgweirOptions options = Options("query = \"default\"");
  options.listen = "client_login_timeout = \"1500ms\"";
  options.databases = DatabaseToml("*", FreePort(), "user=postgres");
  PgweirProcess process(options);
  EXPECT_EQ(Refusal(process, "carol", "wonder"), "57P03");
  EXPECT_TRUE(process.WaitLog("auth.query failed"));
}

// A reload closes the connection that asks, but not under those who wait for it.
TEST_F(AuthQuery, LoginsGoOnThroughReloads) {
  PgweirProcess process(Options("query = \"default\"\nquery_cache = \"0s\"", "md5"));
  std::atomic<bool> done{false};
  std::vector<std::thread> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back([&] {
      while (!done) {
        const auto start = std::chrono::steady_clock::now();
        EXPECT_EQ(Refusal(process, "carol", "wonder"), "");
        EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
      }
    });
  }
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(process.Reload("reloaded"));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  done = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(Refusal(process, "carol", "wonder"), "");
  EXPECT_TRUE(
      server().WaitBackends(1, std::chrono::seconds(5), "application_name = 'pgweir auth'"));
}

TEST_F(AuthQuery, NeedsAUserToAskAs) {
  PgweirOptions options = Options("query = \"default\"");
  options.databases = DatabaseToml("*", server().port());
  options.wait_ready = false;
  PgweirProcess process(options);
  EXPECT_TRUE(process.WaitLog("auth.query needs auth.query_user"));
  EXPECT_EQ(process.WaitExit().value_or(0), 1);
}

}  // namespace
}  // namespace pgweir::test
