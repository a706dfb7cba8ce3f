#include "config/hba.h"

#include <gmock/gmock.h>

#include "config/ident_map.h"

namespace pgweir::config {
namespace {

using testing::HasSubstr;

HbaRules Rules(std::string_view text) {
  const auto rules = ParseHba(text, "hba");
  EXPECT_TRUE(rules.ok()) << text << "\n" << MessageOf(rules.status());
  return rules.ok() ? *rules : HbaRules();
}

std::string Fault(std::string_view text) {
  const auto rules = ParseHba(text, "hba");
  if (rules.ok()) return "no error";
  EXPECT_EQ(SqlStateOf(rules.status()), sqlstate::kConfigFileError);
  return MessageOf(rules.status());
}

HbaRequest From(const char* address, std::string_view user = "ann",
                std::string_view database = "app") {
  HbaRequest request;
  request.user = user;
  request.database = database;
  if (*address != '\0') request.address = IpAddress::Parse(address);
  return request;
}

HbaRequest Encrypted(HbaRequest request) {
  request.encrypted = true;
  return request;
}

// The line of the rule that decides, 0 when none does.
uint32_t LineFor(const HbaRules& rules, const HbaRequest& request, const OwnAddresses& own = {}) {
  const HbaRules::Rule* rule = rules.Find(request, own);
  return rule == nullptr ? 0 : rule->line;
}

bool Fits(std::string_view line, const HbaRequest& request, const OwnAddresses& own = {}) {
  return LineFor(Rules(line), request, own) != 0;
}

TEST(Hba, TheFirstRuleThatFitsDecides) {
  const HbaRules rules = Rules(
      "host app ann 10.0.0.0/8 reject\n"
      "host all ann 10.0.0.0/8 md5\n"
      "host all all 0.0.0.0/0 scram-sha-256\n");
  EXPECT_EQ(LineFor(rules, From("10.1.1.1")), 1u);
  EXPECT_EQ(LineFor(rules, From("10.1.1.1", "ann", "other")), 2u);
  EXPECT_EQ(LineFor(rules, From("10.1.1.1", "bob")), 3u);
  EXPECT_EQ(LineFor(rules, From("::1")), 0u);
  EXPECT_EQ(LineFor(rules, From("")), 0u);
  EXPECT_EQ(rules.Find(From("10.1.1.1"), {})->method, HbaMethod::kReject);
}

TEST(Hba, TypesFitTheirConnections) {
  const HbaRequest plain = From("10.1.1.1");
  const HbaRequest tls = Encrypted(plain);
  const HbaRequest unix_socket = From("");
  struct Case {
    const char* type;
    bool fits_plain, fits_tls;
  };
  for (const Case& c :
       {Case{"host", true, true}, Case{"hostssl", false, true}, Case{"hostnossl", true, false},
        Case{"hostnogssenc", true, true}, Case{"hostgssenc", false, false}}) {
    const std::string line = std::string(c.type) + " all all all trust";
    EXPECT_EQ(Fits(line, plain), c.fits_plain) << c.type;
    EXPECT_EQ(Fits(line, tls), c.fits_tls) << c.type;
    EXPECT_FALSE(Fits(line, unix_socket)) << c.type;
  }
  EXPECT_TRUE(Fits("local all all trust", unix_socket));
  EXPECT_FALSE(Fits("local all all trust", plain));
}

TEST(Hba, DatabasesAndUsersAreLists) {
  for (const char* names :
       {"app", "x,app", "x, app", "x,\"app\"", "x ,app", "all", "\"app\",y", "x,\\\napp"}) {
    const bool split = std::string_view(names) == "x ,app";
    const std::string line = "host " + std::string(names) + " all all trust";
    if (split) {
      EXPECT_NE(Fault(line), "no error");
    } else {
      EXPECT_TRUE(Fits(line, From("10.1.1.1"))) << line;
      EXPECT_EQ(Fits(line, From("10.1.1.1", "ann", "z")), std::string_view(names) == "all");
    }
  }
  EXPECT_TRUE(Fits("host all bob,ann all trust", From("10.1.1.1")));
  EXPECT_FALSE(Fits("host all bob,ann all trust", From("10.1.1.1", "eve")));
}

TEST(Hba, QuotesMakeANameOfAKeyword) {
  EXPECT_FALSE(Fits("host \"all\" all all trust", From("::1")));
  EXPECT_TRUE(Fits("host \"all\" all all trust", From("::1", "ann", "all")));
  EXPECT_FALSE(Fits("host all \"all\" all trust", From("::1")));
  EXPECT_TRUE(Fits("host all \"+x\" all trust", From("::1", "+x")));
  EXPECT_TRUE(Fits("host \"a b,c\"\"d#\" all all trust", From("::1", "ann", "a b,c\"d#")));
}

TEST(Hba, SameuserMeansTheDatabaseOfTheUsersName) {
  EXPECT_TRUE(Fits("host sameuser all all trust", From("::1", "ann", "ann")));
  EXPECT_FALSE(Fits("host sameuser all all trust", From("::1")));
}

TEST(Hba, OnlyReplicationMeansPhysicalReplication) {
  HbaRequest request = From("::1");
  request.physical_replication = true;
  EXPECT_FALSE(Fits("host all all all trust", request));
  EXPECT_FALSE(Fits("host app all all trust", request));
  EXPECT_TRUE(Fits("host replication all all trust", request));
  EXPECT_FALSE(Fits("host replication all all trust", From("::1")));
  EXPECT_FALSE(Fits("host \"replication\" all all trust", request));
}

TEST(Hba, AddressesAreRangesOrMasks) {
  for (const char* address : {"10.0.0.0/8", "10.0.0.0 255.0.0.0", "all", "10.1.1.1/32"}) {
    EXPECT_TRUE(Fits("host all all " + std::string(address) + " trust", From("10.1.1.1")))
        << address;
  }
  EXPECT_FALSE(Fits("host all all 10.0.0.0 255.255.0.0 trust", From("10.1.1.1")));
  EXPECT_TRUE(Fits("host all all fd00:: ff00:: trust", From("fd12::1")));
  EXPECT_FALSE(Fits("host all all ::/0 trust", From("10.1.1.1")));
}

TEST(Hba, SamehostAndSamenetAreOfThisMachine) {
  OwnAddresses own;
  own.hosts.push_back(*IpRange::Parse("10.1.1.1"));
  own.networks.push_back(*IpRange::Parse("10.1.1.1/16"));
  EXPECT_TRUE(Fits("host all all samehost trust", From("10.1.1.1"), own));
  EXPECT_FALSE(Fits("host all all samehost trust", From("10.1.1.2"), own));
  EXPECT_TRUE(Fits("host all all samenet trust", From("10.1.7.7"), own));
  EXPECT_FALSE(Fits("host all all samenet trust", From("10.2.7.7"), own));
  EXPECT_FALSE(Fits("host all all samenet trust", From("10.1.7.7")));
}

TEST(Hba, MethodsAndTheirOptions) {
  const HbaRules rules = Rules(
      "local all all peer map=m\n"
      "local all all ident\n"
      "hostssl all all all cert map=\"my map\" clientcert=verify-full\n"
      "hostssl all all all md5 clientcert=verify-ca clientname=CN\n"
      "hostssl all all all trust clientcert=verify-full\n"
      "host all all all password # and a comment\n");
  ASSERT_EQ(rules.rules().size(), 6u);
  EXPECT_EQ(rules.rules()[0].method, HbaMethod::kPeer);
  EXPECT_EQ(rules.rules()[0].map, "m");
  EXPECT_EQ(rules.rules()[1].method, HbaMethod::kPeer);
  EXPECT_EQ(rules.rules()[2].method, HbaMethod::kCert);
  EXPECT_EQ(rules.rules()[2].map, "my map");
  EXPECT_EQ(rules.rules()[3].client_cert, ClientCert::kVerifyCa);
  EXPECT_EQ(rules.rules()[4].client_cert, ClientCert::kVerifyFull);
  EXPECT_EQ(rules.rules()[5].method, HbaMethod::kPassword);
  EXPECT_TRUE(rules.wants_certificates());
  EXPECT_FALSE(Rules("host all all all md5").wants_certificates());
}

TEST(Hba, CommentsEmptyLinesAndJoinedLines) {
  const HbaRules rules = Rules(
      "# first\n\n   \t\r\nhost all all \\\n  10.0.0.0/8 md5\r\n# a comment \\\nhost that goes on\n"
      "host all all all trust");
  ASSERT_EQ(rules.rules().size(), 2u);
  EXPECT_EQ(rules.rules()[0].line, 4u);
  EXPECT_EQ(rules.rules()[1].line, 8u);
  EXPECT_TRUE(Rules("").rules().empty());
}

TEST(Hba, FaultsSayTheirPlace) {
  EXPECT_THAT(Fault("\nhost all  +admins all md5"),
              HasSubstr("hba:2:11: groups are not supported"));
  EXPECT_THAT(Fault("host samerole all all md5"), HasSubstr("hba:1:6: groups"));
  EXPECT_THAT(Fault("host @names all all md5"), HasSubstr("hba:1:6: @FILE"));
  EXPECT_THAT(Fault("host all \"/^a\" all md5"), HasSubstr("hba:1:10: regular expressions"));
  EXPECT_THAT(Fault("host all all db.example.com md5"), HasSubstr("hba:1:14: host names"));
  EXPECT_THAT(Fault("host all all .example.com md5"), HasSubstr("hba:1:14: host names"));
  EXPECT_THAT(Fault("host all all 10.0.0.0/40 md5"), HasSubstr("hba:1:14: expected an address"));
  EXPECT_THAT(Fault("host all all 10.0.0.1 md5"), HasSubstr("hba:1:14: expected a range"));
  EXPECT_THAT(Fault("host all all 10.0.0.1 ffff:: md5"), HasSubstr("hba:1:23: the mask"));
  EXPECT_THAT(Fault("host all all all ldap"), HasSubstr("hba:1:18: method ldap is not supported"));
  EXPECT_THAT(Fault("host all all all peer"), HasSubstr("hba:1:18: peer is for local"));
  EXPECT_THAT(Fault("host all all all ident"), HasSubstr("method ident is not supported"));
  EXPECT_THAT(Fault("host all all all cert"), HasSubstr("hba:1:18: cert is for hostssl"));
  EXPECT_THAT(Fault("host all all all md5 map=x"), HasSubstr("hba:1:22: map is for"));
  EXPECT_THAT(Fault("host all all all md5 clientcert=verify-ca"), HasSubstr("clientcert is for"));
  EXPECT_THAT(Fault("hostssl all all all md5 clientcert=1"), HasSubstr("clientcert must be"));
  EXPECT_THAT(Fault("hostssl all all all cert clientcert=verify-ca"), HasSubstr("verify-full"));
  EXPECT_THAT(Fault("hostssl all all all cert clientname=DN"), HasSubstr("clientname=CN"));
  EXPECT_THAT(Fault("host all all all md5 radius=x"), HasSubstr("option radius is not supported"));
  EXPECT_THAT(Fault("host all all all md5 word"), HasSubstr("expected NAME=VALUE"));
  EXPECT_THAT(Fault("hosts all all all md5"), HasSubstr("hba:1:1: unknown connection type"));
  EXPECT_THAT(Fault("include other.conf"), HasSubstr("hba:1:1: other files"));
  EXPECT_THAT(Fault("host all all"), HasSubstr("hba:1:10: expected an address"));
  EXPECT_THAT(Fault("local all all"), HasSubstr("expected a method"));
  EXPECT_THAT(Fault("host all all all,all md5"), HasSubstr("hba:1:18: expected an address, which"));
  EXPECT_THAT(Fault("host \"all all all md5"), HasSubstr("hba:1:6: expected a double quote"));
  EXPECT_THAT(Fault(std::string_view("host a\0l all all md5", 20)), HasSubstr("hba:1:7:"));
}

TEST(Hba, AllFaultsAreSaidTogether) {
  const std::string message = Fault("host\nlocal all all gss\nhost all all all md5 x=y");
  EXPECT_THAT(message, HasSubstr("hba:1:"));
  EXPECT_THAT(message, HasSubstr("\nhba:2:15:"));
  EXPECT_THAT(message, HasSubstr("\nhba:3:22:"));
}

TEST(Hba, ManyFaultsAreCutShort) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "x\n";
  EXPECT_THAT(Fault(text), HasSubstr("\nhba: 2980 more errors"));
  EXPECT_THAT(Fault(std::string(3000, '\0')), testing::Not(HasSubstr("more errors")));
}

TEST(IdentMaps, SayWhichNamesMayBeWhichUsers) {
  const auto maps = ParseIdentMaps(
      "# map system user\nm  root  admin\nm\troot ops\nm \"Ann Lee\" ann\nn eve all\nn mal "
      "\"all\"\n",
      "ident");
  ASSERT_TRUE(maps.ok()) << MessageOf(maps.status());
  EXPECT_TRUE(maps->Allows("m", "root", "admin"));
  EXPECT_TRUE(maps->Allows("m", "root", "ops"));
  EXPECT_FALSE(maps->Allows("m", "root", "root"));
  EXPECT_TRUE(maps->Allows("m", "Ann Lee", "ann"));
  EXPECT_FALSE(maps->Allows("n", "root", "admin"));
  EXPECT_TRUE(maps->Allows("n", "eve", "anybody"));
  EXPECT_FALSE(maps->Allows("n", "mal", "anybody"));
  EXPECT_TRUE(maps->Has("n"));
  EXPECT_FALSE(maps->Has("o"));
}

TEST(IdentMaps, WithoutAMapNamesMustBeTheSame) {
  EXPECT_TRUE(IdentMaps().Allows("", "ann", "ann"));
  EXPECT_FALSE(IdentMaps().Allows("", "ann", "Ann"));
  EXPECT_FALSE(IdentMaps().Allows("m", "ann", "ann"));
}

TEST(IdentMaps, FaultsSayTheirPlace) {
  const auto fault = [](std::string_view text) {
    return MessageOf(ParseIdentMaps(text, "ident").status());
  };
  EXPECT_THAT(fault("m a"), HasSubstr("ident:1:1: expected MAP"));
  EXPECT_THAT(fault("m a b c"), HasSubstr("ident:1:1: expected MAP"));
  EXPECT_THAT(fault("m /^(.*)@x$ b"), HasSubstr("ident:1:3: regular expressions"));
  EXPECT_THAT(fault("m a +b"), HasSubstr("ident:1:5: groups"));
  EXPECT_THAT(fault("m a,b c"), HasSubstr("ident:1:5: only one value"));
  EXPECT_THAT(fault("m \"\" c"), HasSubstr("ident:1:3: a name must not be empty"));
}

}  // namespace
}  // namespace pgweir::config
