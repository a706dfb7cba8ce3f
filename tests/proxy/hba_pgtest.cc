// Rules that say who may enter from where.

#include <pwd.h>
#include <unistd.h>

#include "fmt/format.h"
#include "tests/support/certificate.h"
#include "tests/support/proxy_test.h"

namespace pgweir::test {
namespace {

class Hba : public ProxyTest {
 protected:
  static void SetUpTestSuite() {
    MakeCertificate(keys_->path(), "server", "127.0.0.1");
    MakeCertificate(keys_->path(), "ann", "ann");
    MakeCertificate(keys_->path(), "stranger", "ann");
  }

  PgweirOptions Options(const std::string& rules, const std::string& maps = "") {
    WriteFile(files_.File("hba"), rules);
    WriteFile(files_.File("ident"), maps);
    server().Query(
        "do $$ begin create role susan login password 'wonder'; exception when duplicate_object "
        "then null; end $$");
    const std::string verifier =
        server().Query("select rolpassword from pg_authid where rolname = 'susan'");
    return {.listen = fmt::format("unix_socket_dir = \"@\"\ntls = {{ mode = \"prefer\", "
                                  "certificate = \"{0}/server.crt\", key = \"{0}/server.key\", "
                                  "ca = \"{0}/ann.crt\" }}",
                                  keys_->path()),
            .auth = fmt::format("method = \"hba\"\nusers_file = \"users.txt\"\nhba_file = "
                                "\"{0}/hba\"\nident_file = \"{0}/ident\"\nfailure_delay = \"0s\"",
                                files_.path()),
            .databases = DatabaseToml("*", server().port(), "user=postgres"),
            .users = fmt::format("\"ann\" \"wonder\"\n\"susan\" \"{}\"\n", verifier)};
  }

  // The SQLSTATE that refuses such a client, "" when it gets in.
  static std::string Refusal(const PgweirProcess& process, std::string_view user,
                             std::string_view more = "sslmode=disable") {
    Connection connection(fmt::format("{} {}", process.Conninfo(user), more));
    EXPECT_EQ(connection.ok(), connection.refusal().empty()) << connection.error();
    return connection.refusal();
  }
  static Connection OverSocket(const PgweirProcess& process, std::string_view user) {
    return Connection(fmt::format("host={} port={} user={} dbname=postgres", process.folder(),
                                  process.port(), user));
  }
  static std::string Certificate(std::string_view name) {
    return fmt::format("sslmode=require sslcert={0}/{1}.crt sslkey={0}/{1}.key", keys_->path(),
                       name);
  }
  static std::string Me() { return getpwuid(getuid())->pw_name; }

  static inline const std::unique_ptr<TempFolder> keys_ = std::make_unique<TempFolder>("keys");
  TempFolder files_{"rules"};
};

TEST_F(Hba, TheFirstRuleThatFitsDecides) {
  PgweirProcess process(
      Options("host all bob 127.0.0.0/8 reject\n"
              "host all all 127.0.0.0 255.0.0.0 trust\n"
              "host all all all reject\n"));
  EXPECT_EQ(Refusal(process, "ann"), "");
  Connection bob(process.Conninfo("bob"));
  EXPECT_EQ(bob.refusal(), "28000");
  EXPECT_NE(bob.error().find("pg_hba.conf rejects connection for host \"127.0.0.1\", user \"bob\", "
                             "database \"postgres\""),
            std::string::npos)
      << bob.error();
}

TEST_F(Hba, NoRuleIsARefusal) {
  PgweirProcess process(Options("host app all all trust\nhost all all 10.0.0.0/8 trust\n"));
  Connection ann(process.Conninfo("ann") + " sslmode=disable");
  EXPECT_EQ(ann.refusal(), "28000");
  EXPECT_NE(ann.error().find("no pg_hba.conf entry for host \"127.0.0.1\", user \"ann\", database "
                             "\"postgres\", no encryption"),
            std::string::npos)
      << ann.error();
  Connection local = OverSocket(process, "ann");
  EXPECT_NE(local.error().find("host \"[local]\""), std::string::npos) << local.error();
}

TEST_F(Hba, EachMethodAsksForItsPassword) {
  for (const char* method : {"md5", "scram-sha-256"}) {
    PgweirProcess process(Options(fmt::format("host all all all {}\n", method)));
    // An md5 rule asks a user with a SCRAM secret for SCRAM.
    for (const char* user : {"ann", "susan"}) {
      EXPECT_EQ(Refusal(process, user, "password=wonder"), "") << method << user;
      EXPECT_EQ(Refusal(process, user, "password=wander"), "28P01") << method << user;
    }
    EXPECT_EQ(Refusal(process, "nobody", "password=wonder"), "28P01") << method;
  }
}

TEST_F(Hba, EncryptionIsLookedAt) {
  PgweirProcess process(Options(
      "hostssl all ann all trust\nhostnossl all susan all trust\nhostssl all all all password\n"));
  EXPECT_EQ(Refusal(process, "ann", "sslmode=require"), "");
  EXPECT_EQ(Refusal(process, "ann", "sslmode=disable"), "28000");
  EXPECT_EQ(Refusal(process, "susan", "sslmode=disable"), "");
  EXPECT_EQ(Refusal(process, "susan", "sslmode=require password=wonder"), "");
  EXPECT_EQ(Refusal(process, "susan", "sslmode=require password=wander"), "28P01");
}

TEST_F(Hba, CertificatesAreAskedForWhereARuleDoes) {
  PgweirProcess process(
      Options("hostssl all ann all cert\n"
              "hostssl all ops all cert map=staff\n"
              "hostssl all susan all scram-sha-256 clientcert=verify-ca\n"
              "hostssl all eve all trust clientcert=verify-full\n"
              "host all all all trust\n",
              "staff ann ops\n"));
  EXPECT_EQ(Refusal(process, "ann", Certificate("ann")), "");
  EXPECT_EQ(Refusal(process, "ann", "sslmode=require sslcert=none"), "28000");
  EXPECT_EQ(Refusal(process, "ops", Certificate("ann")), "");
  EXPECT_EQ(Refusal(process, "susan", Certificate("ann") + " password=wonder"), "");
  EXPECT_EQ(Refusal(process, "susan", Certificate("ann") + " password=wander"), "28P01");
  EXPECT_EQ(Refusal(process, "susan", "sslmode=require sslcert=none password=wonder"), "28000");
  EXPECT_EQ(Refusal(process, "eve", Certificate("ann")), "28000");
  EXPECT_EQ(Refusal(process, "bob", "sslmode=require sslcert=none"), "");
  // One that nobody vouches for ends the handshake, whatever name it has.
  EXPECT_FALSE(Connection(process.Conninfo("ann") + " " + Certificate("stranger")).ok());
}

TEST_F(Hba, PeerIsTheUserOfTheOperatingSystem) {
  PgweirProcess process(Options("local all boss peer map=staff\nlocal all all peer\n",
                                fmt::format("staff {} boss\nstaff somebody ann\n", Me())));
  Connection me = OverSocket(process, Me());
  EXPECT_TRUE(me.ok()) << me.error();
  Connection boss = OverSocket(process, "boss");
  EXPECT_TRUE(boss.ok()) << boss.error();
  Connection ann = OverSocket(process, "ann");
  EXPECT_EQ(ann.refusal(), "28000");
  EXPECT_NE(ann.error().find("Peer authentication failed for user \"ann\""), std::string::npos)
      << ann.error();
}

TEST_F(Hba, RulesAreReadAgainAtReload) {
  PgweirProcess process(Options("host all all all reject\n"));
  EXPECT_EQ(Refusal(process, "ann"), "28000");
  WriteFile(files_.File("hba"), "host all all all trust\n");
  ASSERT_TRUE(process.Reload("reloaded"));
  EXPECT_EQ(Refusal(process, "ann"), "");
  WriteFile(files_.File("hba"), "host all +staff all reject\n");
  ASSERT_TRUE(process.Reload("hba:1:10: groups are not supported"));
  EXPECT_EQ(Refusal(process, "ann"), "");
}

}  // namespace
}  // namespace pgweir::test
