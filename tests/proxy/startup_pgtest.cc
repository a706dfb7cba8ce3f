// The bytes before the first query, directly and through pgweir.

#include <map>

#include "tests/support/proxy_test.h"
#include "wire/protocol.h"

namespace pgweir::test {
namespace {

class Startup : public BothWays {
 protected:
  static std::string Hello() {
    return fe::Startup({{"user", "postgres"}, {"database", "postgres"}});
  }

  // The client is told this SQLSTATE, as a FATAL, and the connection ends.
  static void ExpectFatal(RawClient& client, std::string_view sqlstate) {
    Message error = client.Expect('E');
    EXPECT_EQ(Field(error, 'C'), sqlstate) << Field(error, 'M');
    EXPECT_EQ(Field(error, 'S'), "FATAL");
    EXPECT_TRUE(client.ClosedByPeer());
  }

  // The connection ends; what comes before that is an ErrorResponse at most.
  static void ExpectRefused(RawClient& client) {
    try {
      EXPECT_EQ(client.Read().type, 'E');
      EXPECT_TRUE(client.ClosedByPeer());
    } catch (const std::runtime_error& end) {
      EXPECT_NE(std::string(end.what()).find("closed"), std::string::npos) << end.what();
    }
  }
};

// Rule 1: the packet may come in any pieces.
TEST_P(Startup, ComesByteByByte) {
  RawClient client(port());
  client.SendSlowly(Hello());
  EXPECT_EQ(Types(client.ReadUntilReady()).back(), 'Z');
  EXPECT_EQ(Types(client.Query("select 1")), "TDCZ");
}

// A query may follow before the login is answered.
TEST_P(Startup, QueryMayFollowAtOnce) {
  RawClient client(port());
  client.Send(Hello() + fe::Query("select 1"));
  client.ReadUntilReady();
  EXPECT_EQ(Types(client.ReadUntilReady()), "TDCZ");
}

// Rule 1
TEST_P(Startup, GarbageIsRefused) {
  for (const std::string& garbage :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(16, '\0'), fe::Int32(4) + fe::Int32(0),
        fe::Int32(10001) + fe::Int32(wire::kProtocol30),
        std::string("\xff\xff\xff\xff\xff\xff\xff\xff")}) {
    RawClient client(port());
    client.Send(garbage);
    client.HalfClose();
    ExpectRefused(client);
  }
  EXPECT_TRUE(Connection(Conninfo()).ok());
}

// Rule 2
TEST_P(Startup, TlsIsDeclinedWhereThereIsNone) {
  RawClient client(port());
  client.Send(fe::Request(wire::kSslRequestCode));
  EXPECT_EQ(client.ReadByte(), 'N');
  client.Send(Hello());
  client.ReadUntilReady();
}

// Rule 2: bytes behind the request would later pass for encrypted ones.
TEST_P(Startup, BytesBehindATlsRequestAreRejected) {
  RawClient client(port());
  client.Send(fe::Request(wire::kSslRequestCode) + Hello());
  char first = client.ReadByte();
  if (first == 'N') first = client.ReadByte();
  EXPECT_EQ(first, 'E');
}

// Rule 4: each at most once.
TEST_P(Startup, SecondTlsRequestIsRefused) {
  RawClient client(port());
  client.Send(fe::Request(wire::kSslRequestCode));
  EXPECT_EQ(client.ReadByte(), 'N');
  client.Send(fe::Request(wire::kSslRequestCode));
  // PostgreSQL 15 takes the second one for a strange version.
  ExpectFatal(client, GetParam() == Way::kDirect ? "0A000" : "08P01");
}

// Rule 6: a newer minor version and unknown options are negotiated down, once, before anything.
TEST_P(Startup, NewerProtocolIsNegotiatedDown) {
  RawClient client(port());
  client.Send(fe::Startup({{"user", "postgres"}, {"database", "postgres"}, {"_pq_.flux", "1"}},
                          (3 << 16) + 2));
  std::vector<Message> welcome = client.ReadUntilReady();
  ASSERT_EQ(welcome.front().type, 'v') << Types(welcome);
  EXPECT_EQ(welcome.front().body,
            fe::Int32(wire::kProtocol30) + fe::Int32(1) + std::string("_pq_.flux") + '\0');
  EXPECT_EQ(Types(welcome).find('v', 1), std::string::npos);
  EXPECT_EQ(Types(client.Query("select 1")), "TDCZ");
}

// Rule 6
TEST_P(Startup, OtherMajorVersionsAreRefused) {
  RawClient client(port());
  client.Send(fe::Startup({{"user", "postgres"}}, 4 << 16));
  ExpectFatal(client, "0A000");
}

// Rule 7
TEST_P(Startup, UserIsRequired) {
  RawClient client(port());
  client.Send(fe::Startup({{"database", "postgres"}}));
  ExpectFatal(client, "28000");
}

// Rule 7
TEST_P(Startup, DatabaseDefaultsToTheUser) {
  RawClient client(port());
  client.Send(fe::Startup({{"user", "postgres"}}));
  client.ReadUntilReady();
  std::vector<Message> answer = client.Query("select current_database()");
  EXPECT_EQ(Columns(*Find(answer, 'D')).front(), "postgres");
}

// Rule 7
TEST_P(Startup, MalformedPacketIs08P01) {
  RawClient client(port());
  client.Send(fe::Int32(21) + fe::Int32(wire::kProtocol30) + std::string("user\0postgres", 13));
  ExpectFatal(client, "08P01");
}

// Rules 7, 8 and 10
TEST_P(Startup, SettingsHold) {
  Connection connection(Conninfo() +
                        " application_name=its client_encoding=LATIN1"
                        " options='-c enable_sort=off -cwork_mem=7MB --statement-timeout=9s -c "
                        "TimeZone=Asia/Tokyo -c search_path=a,\\\\ b'");
  ASSERT_TRUE(connection.ok()) << connection.error();
  EXPECT_EQ(connection.Value("show client_encoding"), "LATIN1");
  EXPECT_EQ(connection.Value("show enable_sort"), "off");
  EXPECT_EQ(connection.Value("show work_mem"), "7MB");
  EXPECT_EQ(connection.Value("show statement_timeout"), "9s");
  EXPECT_EQ(connection.Value("show search_path"), "a, b");
  EXPECT_EQ(connection.Parameter("TimeZone"), "Asia/Tokyo");
  // Two characters of LATIN1, each two bytes in the database.
  EXPECT_EQ(connection.Value("select octet_length('é')"), "4");
  EXPECT_EQ(connection.Parameter("client_encoding"), "LATIN1");
}

// Rule 10: an application name is cut where the server cuts it.
TEST_P(Startup, LongApplicationNameIsCut) {
  RawClient client(port());
  client.Send(fe::Startup({{"user", "postgres"}, {"application_name", std::string(100, 'n')}}));
  client.ReadUntilReady();
  std::vector<Message> answer = client.Query("show application_name");
  EXPECT_EQ(Columns(*Find(answer, 'D')).front(), std::string(63, 'n'));
}

TEST_P(Startup, BadSettingIsTheClientsError) {
  Connection unknown(Conninfo() + " options='-c no_such_setting=1'");
  EXPECT_FALSE(unknown.ok() && unknown.Exec("select 1").ok());
  Connection bad_value(Conninfo() + " options='-c work_mem=much'");
  EXPECT_FALSE(bad_value.ok() && bad_value.Exec("select 1").ok());
  Connection good(Conninfo());
  EXPECT_EQ(good.Value("select 1"), "1");
}

PGWEIR_BOTH_WAYS(Startup);

// What PostgreSQL 15 as Debian builds it does otherwise: it takes GSS, and speaks protocol 2 to
// those who ask for it.
class StartupThrough : public ProxyTest {};

// Rule 4
TEST_F(StartupThrough, GssRequestMayPrecedeTheTlsRequest) {
  RawClient client(pgweir().port());
  client.Send(fe::Request(wire::kGssEncRequestCode));
  EXPECT_EQ(client.ReadByte(), 'N');
  client.Send(fe::Request(wire::kSslRequestCode));
  EXPECT_EQ(client.ReadByte(), 'N');
  client.Send(fe::Startup({{"user", "postgres"}}));
  client.ReadUntilReady();
}

// Rule 6
TEST_F(StartupThrough, AncientProtocolIsToldInThisOne) {
  RawClient client(pgweir().port());
  client.Send(fe::Startup({{"user", "postgres"}}, 2 << 16));
  EXPECT_EQ(Field(client.Expect('E'), 'C'), "0A000");
  EXPECT_TRUE(client.ClosedByPeer());
}

class Welcome : public ProxyTest {};

std::map<std::string, std::string> Parameters(const RawClient& client) {
  std::map<std::string, std::string> parameters;
  for (const Message& message : client.welcome()) {
    if (message.type != 'S') continue;
    std::string name = message.body.c_str();
    parameters[name] = message.body.c_str() + name.size() + 1;
  }
  return parameters;
}

// Rule 20
TEST_F(Welcome, ReportsWhatTheServerReports) {
  auto direct = Parameters(RawClient::Login(server().port()));
  EXPECT_GE(direct.size(), 13u);
  EXPECT_EQ(Parameters(RawClient::Login(pgweir().port())), direct);
  // And so when no login of this session's own was needed.
  EXPECT_EQ(Parameters(RawClient::Login(pgweir().port())), direct);
}

// Rule 15: the server's key would let a client cancel whoever has the backend by then.
TEST_F(Welcome, KeyIsNotTheServers) {
  RawClient one = RawClient::Login(pgweir().port());
  RawClient two = RawClient::Login(pgweir().port());
  std::string key = Find(one.welcome(), 'K')->body;
  EXPECT_EQ(key.size(), 8u);
  EXPECT_NE(key, Find(two.welcome(), 'K')->body);
  one.Send(fe::Query("select pg_sleep(0.3)"));
  EXPECT_TRUE(one.Silent(100));
  RawClient at_server(server().port());
  at_server.Send(fe::Int32(16) + fe::Int32(wire::kCancelRequestCode) + key);
  EXPECT_TRUE(at_server.ClosedByPeer());
  EXPECT_EQ(Types(one.ReadUntilReady()), "TDCZ");
}

}  // namespace
}  // namespace pgweir::test
