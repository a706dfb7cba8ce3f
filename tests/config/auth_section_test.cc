#include <gmock/gmock.h>

#include "tests/config/config_fixture.h"

// [auth] and listen.proxy_protocol: who may enter.

namespace pgweir::config {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

class AuthSection : public ConfigTest {
 protected:
  AuthSection() {
    for (const char* name : {"c.pem", "k.pem", "ca.pem"}) Write(name, "");
    Write("hba", "host all all all scram-sha-256\n");
    Write("ident", "people root admin\n");
  }
};

constexpr std::string_view kTls =
    "[listen]\ntls = { mode = \"require\", certificate = \"c.pem\", key = \"k.pem\", ca = "
    "\"ca.pem\" }\n";

std::string WithTls(std::string_view text) { return std::string(kTls) + std::string(text); }

TEST_F(AuthSection, ReadsEveryKey) {
  const Auth auth = Good(R"toml(
[auth]
method = "hba"
hba_file = "hba"
ident_file = "ident"
query = "select * from f($1)"
query_user = "asker"
query_database = "app"
query_cache = "5m"
failure_delay = "2s")toml")
                        .auth;
  EXPECT_EQ(auth.method, AuthMethod::kHba);
  EXPECT_EQ(auth.hba_file, File("hba"));
  EXPECT_EQ(auth.ident_file, File("ident"));
  EXPECT_EQ(auth.query, "select * from f($1)");
  EXPECT_EQ(auth.query_user, "asker");
  EXPECT_EQ(auth.query_database, "app");
  EXPECT_EQ(auth.query_cache, minutes(5));
  EXPECT_EQ(auth.failure_delay, seconds(2));
}

TEST_F(AuthSection, DefaultQueryNamesTheServersCatalog) {
  EXPECT_EQ(Good("").auth.query, "");
  EXPECT_EQ(Good("[auth]\nquery = \"default\"").auth.query,
            "SELECT usename, passwd, valuntil FROM pg_catalog.pg_shadow WHERE usename=$1");
}

TEST_F(AuthSection, UsersFileMayBeAbsentWhereTheDatabaseIsAsked) {
  std::filesystem::remove(File("users.txt"));
  EXPECT_EQ(Good("[auth]\nquery = \"default\"").auth.users_file, "");
  EXPECT_THAT(Fault(""), HasSubstr("auth.users_file: users.txt cannot be read"));
}

TEST_F(AuthSection, HbaNeedsItsFile) {
  EXPECT_THAT(Fault("[auth]\nmethod = \"hba\""), HasSubstr("auth.hba_file: must name a file"));
  EXPECT_THAT(Fault("[auth]\nmethod = \"hba\"\nhba_file = \"none\""),
              HasSubstr("pgweir.toml:3:12: auth.hba_file: none cannot be read"));
}

TEST_F(AuthSection, FaultsOfTheRulesAreSaidWithTheOthers) {
  Write("hba", "host all +x all md5\n");
  const std::string message = Fault("[auth]\nmethod = \"hba\"\nhba_file = \"hba\"\n[pool]\nsize=0");
  EXPECT_THAT(message, HasSubstr("pgweir.toml:5:6: pool.size"));
  EXPECT_THAT(message, HasSubstr("hba:1:10: groups are not supported"));
}

TEST_F(AuthSection, MapsOfRulesMustBeThere) {
  Write("hba", "local all all peer map=people\n\nlocal all all peer map=others\n");
  EXPECT_EQ(Fault("[auth]\nmethod = \"hba\"\nhba_file = \"hba\"\nident_file = \"ident\""),
            "hba:3:1: map=others: auth.ident_file has no such map");
  Write("ident", "people root\n");
  EXPECT_THAT(Fault("[auth]\nident_file = \"ident\""), HasSubstr("ident:1:1: expected MAP"));
}

TEST_F(AuthSection, CertificatesNeedAnAuthority) {
  Write("hba", "hostssl all all all md5 clientcert=verify-ca\n");
  const std::string hba = "[auth]\nmethod = \"hba\"\nhba_file = \"hba\"";
  EXPECT_THAT(Fault(hba), HasSubstr("auth.hba_file: a rule that looks at certificates needs"));
  Good(WithTls(hba));
  EXPECT_THAT(Fault("[auth]\nmethod = \"cert\""), HasSubstr("\"cert\" needs listen.tls"));
  Good(WithTls("[auth]\nmethod = \"cert\"\nident_file = \"ident\"\nident_map = \"people\""));
  EXPECT_THAT(Fault(WithTls("[auth]\nmethod = \"cert\"\nident_map = \"people\"")),
              HasSubstr("auth.ident_map: ident_file has no such map"));
}

TEST_F(AuthSection, FailureDelayIsBounded) {
  Good("[auth]\nfailure_delay = \"10s\"");
  EXPECT_THAT(Fault("[auth]\nfailure_delay = \"11s\""), HasSubstr("must be at most \"10000ms\""));
}

TEST_F(AuthSection, BalancersAreAddressesAndRanges) {
  const Config config = Good("[listen]\nproxy_protocol = [\"10.0.0.0/8\", \"::1\"]");
  ASSERT_EQ(config.listen.proxy_protocol.size(), 2u);
  EXPECT_TRUE(config.listen.proxy_protocol[0].Contains(*IpAddress::Parse("10.2.3.4")));
  EXPECT_TRUE(config.listen.proxy_protocol[1].Contains(*IpAddress::Parse("::1")));
  EXPECT_THAT(Fault("[listen]\nproxy_protocol = [\"balancer\"]"),
              HasSubstr("listen.proxy_protocol: balancer is no address and no range"));
  EXPECT_TRUE(Good("").listen.proxy_protocol.empty());
}

}  // namespace
}  // namespace pgweir::config
