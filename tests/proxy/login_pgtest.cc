// Who gets in, by each method, and what the others are told.

#include "fmt/format.h"
#include "tests/support/proxy_test.h"

namespace pgweir::test {
namespace {

constexpr std::string_view kPasswordFailed = "28P01";

struct Method {
  const char* name;
  const char* toml;
};

// alice's secret is kept plain, mary's as md5, susan's as a SCRAM verifier; all passwords are
// "wonder".
class Login : public ProxyTest, public testing::WithParamInterface<Method> {
 protected:
  static std::string Users() {
    server().Query(
        "do $$ begin create role alice login; create role susan login password 'wonder'; "
        "create role mary login; exception when duplicate_object then null; end $$");
    std::string md5 = server().Query("select 'md5' || md5('wonder' || 'mary')");
    std::string scram = server().Query("select rolpassword from pg_authid where rolname = 'susan'");
    return fmt::format("\"alice\" \"wonder\"\n\"mary\" \"{}\"\n\"susan\" \"{}\"\n\"empty\" \"\"\n",
                       md5, scram);
  }

  static PgweirOptions Options(const std::string& auth, const char* node_login) {
    return {.auth = auth + "\nusers_file = \"users.txt\"",
            .databases = DatabaseToml("*", server().port(), node_login),
            .users = Users()};
  }

  static std::string Password(const char* password) {
    return fmt::format(" password={}", password);
  }
};

TEST_P(Login, LetsTheRightPasswordIn) {
  PgweirProcess process(Options(GetParam().toml, "user=postgres"));
  Connection connection(process.Conninfo("alice") + Password("wonder"));
  ASSERT_TRUE(connection.ok()) << connection.error();
  EXPECT_EQ(connection.Value("select 1"), "1");
}

TEST_P(Login, RefusesWrongUnknownAndEmptyAlike) {
  PgweirProcess process(Options(GetParam().toml, "user=postgres"));
  for (const char* user : {"alice", "nobody", "empty"}) {
    Connection wrong(process.Conninfo(user) + Password("wander"));
    EXPECT_EQ(wrong.refusal(), kPasswordFailed) << user << ": " << wrong.error();
    EXPECT_NE(
        wrong.error().find(fmt::format("password authentication failed for user \"{}\"", user)),
        std::string::npos)
        << wrong.error();
  }
}

// Rule 17: whoever asks can't learn which users there are.
TEST_P(Login, StartsTheSameExchangeForUnknownUsers) {
  PgweirProcess process(Options(GetParam().toml, "user=postgres"));
  auto first_answer = [&](const char* user) {
    RawClient client(process.port());
    client.Send(fe::Startup({{"user", user}, {"database", "postgres"}}));
    Message answer = client.Expect('R');
    return answer.body.substr(0, 4) + std::to_string(answer.body.size());
  };
  EXPECT_EQ(first_answer("alice"), first_answer("nobody"));
}

INSTANTIATE_TEST_SUITE_P(
    Method, Login,
    testing::Values(Method{"Password", "method = \"password\"\nallow_plain_without_tls = true"},
                    Method{"Md5", "method = \"md5\""},
                    Method{"Scram", "method = \"scram-sha-256\""}),
    [](const testing::TestParamInfo<Method>& info) { return info.param.name; });

class LoginCase : public Login {
 protected:
  static constexpr const char* kScram = "method = \"scram-sha-256\"";
  static constexpr const char* kPlain = "method = \"password\"\nallow_plain_without_tls = true";
};

TEST_F(LoginCase, TrustAsksNothing) {
  PgweirProcess process(Options("method = \"trust\"", ""));
  Connection connection(process.Conninfo("alice"));
  ASSERT_TRUE(connection.ok()) << connection.error();
  EXPECT_EQ(connection.Value("select current_user"), "alice");
}

TEST_F(LoginCase, Md5AndScramSecretsServeTheirMethods) {
  {
    PgweirProcess process(Options("method = \"md5\"", "user=postgres"));
    EXPECT_TRUE(Connection(process.Conninfo("mary") + Password("wonder")).ok());
    EXPECT_EQ(Connection(process.Conninfo("mary") + Password("wander")).refusal(), kPasswordFailed);
  }
  PgweirProcess process(Options(kScram, "user=postgres"));
  EXPECT_TRUE(Connection(process.Conninfo("susan") + Password("wonder")).ok());
  EXPECT_EQ(Connection(process.Conninfo("susan") + Password("wander")).refusal(), kPasswordFailed);
}

TEST_F(LoginCase, ClearPasswordIsCheckedAgainstEverySecret) {
  PgweirProcess process(Options(kPlain, "user=postgres"));
  for (const char* user : {"alice", "mary", "susan"}) {
    EXPECT_TRUE(Connection(process.Conninfo(user) + Password("wonder")).ok()) << user;
    EXPECT_EQ(Connection(process.Conninfo(user) + Password("wander")).refusal(), kPasswordFailed);
  }
}

TEST_F(LoginCase, ClearPasswordNeedsTlsUnlessAllowed) {
  PgweirProcess process(Options("method = \"password\"", "user=postgres"));
  RawClient client(process.port());
  client.Send(fe::Startup({{"user", "alice"}}));
  EXPECT_EQ(Field(client.Expect('E'), 'C'), "28000");
  EXPECT_TRUE(client.ClosedByPeer());
}

// Rule 18
TEST_F(LoginCase, EmptyPasswordFails) {
  PgweirProcess process(Options(kPlain, "user=postgres"));
  for (const char* user : {"alice", "empty"}) {
    RawClient client(process.port());
    client.Send(fe::Startup({{"user", user}}));
    client.Expect('R');
    client.Send(fe::Password(""));
    EXPECT_EQ(Field(client.Expect('E'), 'C'), kPasswordFailed) << user;
  }
}

// Rule 17: the mock salt of an unknown user is as stable as a real one.
TEST_F(LoginCase, UnknownUserHasAStableSalt) {
  PgweirProcess process(Options(kScram, "user=postgres"));
  auto salt = [&](const char* user) {
    RawClient client(process.port());
    client.Send(fe::Startup({{"user", user}}));
    client.Expect('R');
    std::string first = "n,,n=,r=abcdefghijklmnopqr";
    client.Send(fe::Typed('p', std::string("SCRAM-SHA-256") + '\0' +
                                   fe::Int32(static_cast<uint32_t>(first.size())) + first));
    std::string body = client.Expect('R').body;
    return body.substr(body.find(",s="));
  };
  EXPECT_EQ(salt("nobody"), salt("nobody"));
  EXPECT_NE(salt("nobody"), salt("noone"));
  EXPECT_EQ(salt("susan"), salt("susan"));
  EXPECT_EQ(salt("nobody").size(), salt("susan").size());
}

TEST_F(LoginCase, PlainSecretLogsInToTheServerByEveryMethod) {
  for (const char* method : {"scram-sha-256", "md5", "password"}) {
    PostgresServer own({.hba = {fmt::format("host all all 127.0.0.1/32 {}", method)}});
    own.Query("create role alice login password 'wonder'");
    PgweirProcess process({.auth = fmt::format("{}\nusers_file = \"users.txt\"", kScram),
                           .databases = DatabaseToml("*", own.port()),
                           .users = "\"alice\" \"wonder\"\n\"bob\" \"unknown to the server\"\n"});
    Connection connection(process.Conninfo("alice") + Password("wonder"));
    ASSERT_TRUE(connection.ok()) << method << ": " << connection.error();
    EXPECT_EQ(connection.Value("select current_user"), "alice");
  }
}

// Rule 19: the server's own refusal reaches the client, with its SQLSTATE.
TEST_F(LoginCase, ServerRefusalIsForwarded) {
  PostgresServer own({.hba = {"host all alice 127.0.0.1/32 scram-sha-256"}});
  own.Query("create role alice login password 'another'");
  PgweirProcess process({.auth = "method = \"trust\"\nusers_file = \"users.txt\"",
                         .pool = "wait_timeout = \"1s\"",
                         .databases = DatabaseToml("*", own.port()),
                         .users = "\"alice\" \"wonder\"\n\"bob\" \"b\"\n"});
  Connection wrong(process.Conninfo("alice"));
  EXPECT_EQ(wrong.refusal(), "28P01") << wrong.error();
  Connection no_line(process.Conninfo("bob"));
  EXPECT_EQ(no_line.refusal(), "28000") << no_line.error();
  EXPECT_NE(no_line.error().find("pg_hba.conf"), std::string::npos) << no_line.error();
}

TEST_F(LoginCase, UnknownDatabaseIs3D000) {
  PgweirProcess named({.databases = DatabaseToml("postgres", server().port())});
  EXPECT_TRUE(Connection(named.Conninfo()).ok());
  EXPECT_EQ(Connection(named.Conninfo("postgres", "nowhere")).refusal(), "3D000");

  PgweirProcess any(
      {.pool = "wait_timeout = \"1s\"", .databases = DatabaseToml("*", server().port())});
  Connection nowhere(any.Conninfo("postgres", "nowhere"));
  EXPECT_EQ(nowhere.refusal(), "3D000");
  EXPECT_NE(nowhere.error().find("database \"nowhere\" does not exist"), std::string::npos);
}

TEST_F(LoginCase, PsqlWorks) {
  CommandResult result = RunCommand(
      {.argv = {"psql", "-X", "-d", pgweir().Conninfo(), "-v", "ON_ERROR_STOP=1", "-c",
                "\\conninfo", "-c", "\\d pg_class", "-c", "select 6*7 as answer", "-c", "\\l"}});
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_NE(result.output.find("42"), std::string::npos);
  EXPECT_NE(result.output.find("relname"), std::string::npos);
}

TEST_F(LoginCase, UnixSocketServesToo) {
  PgweirProcess process(
      {.listen = "unix_socket_dir = \"@\"", .databases = DatabaseToml("*", server().port())});
  Connection connection(fmt::format("host={} port={} user=postgres dbname=postgres",
                                    process.folder(), process.port()));
  ASSERT_TRUE(connection.ok()) << connection.error();
  EXPECT_EQ(connection.Value("select 1"), "1");
}

}  // namespace
}  // namespace pgweir::test
