// A session that misbehaves harms itself alone.

#include "tests/support/proxy_test.h"

namespace pgweir::test {
namespace {

class Isolation : public ProxyTest {
 protected:
  // Still there, and still a PostgreSQL.
  static void ExpectAlive() {
    Connection connection(pgweir().Conninfo());
    ASSERT_TRUE(connection.ok()) << connection.error();
    EXPECT_EQ(connection.Value("select 1"), "1");
  }
};

TEST_F(Isolation, UnknownMessageTypeIsFatalForItsSession) {
  RawClient other = RawClient::Login(pgweir().port());
  RawClient client = RawClient::Login(pgweir().port());
  client.Send(fe::Typed('y', "what"));
  Message error = client.Expect('E');
  EXPECT_EQ(Field(error, 'C'), "08P01");
  EXPECT_EQ(Field(error, 'S'), "FATAL");
  EXPECT_TRUE(client.ClosedByPeer());
  EXPECT_EQ(Types(other.Query("select 1")), "TDCZ");
}

// Rule 22: the length counts itself, and is never believed beyond the limit.
TEST_F(Isolation, ImpossibleLengthsAreRefused) {
  for (uint32_t length : {0u, 3u, 0x7fffffffu, 0xffffffffu}) {
    RawClient client = RawClient::Login(pgweir().port());
    client.Send("Q" + fe::Int32(length));
    EXPECT_EQ(Field(client.Expect('E'), 'C'), "08P01") << length;
    EXPECT_TRUE(client.ClosedByPeer());
  }
  ExpectAlive();
}

// Rule 16: a password message has no place after login.
TEST_F(Isolation, PasswordAfterLoginIsRefused) {
  RawClient client = RawClient::Login(pgweir().port());
  client.Send(fe::Password("late"));
  EXPECT_EQ(Field(client.Expect('E'), 'C'), "08P01");
  EXPECT_TRUE(client.ClosedByPeer());
  ExpectAlive();
}

// Rule 28: an end in the middle of a message is an end.
TEST_F(Isolation, EndWithinAMessageFreesTheBackend) {
  for (int i = 0; i < 20; ++i) {
    RawClient client = RawClient::Login(pgweir().port());
    std::string query = fe::Query("select 'never whole'");
    client.Send(std::string_view(query).substr(0, 10));
    i % 2 == 0 ? client.Close() : client.Reset();
  }
  ExpectAlive();
}

// Rule 28: the end of an idle session is no different from a Terminate.
TEST_F(Isolation, EndWhenIdleKeepsTheBackend) {
  Connection(pgweir().Conninfo()).Value("select 1");
  int before = server().CountBackends();
  for (int i = 0; i < 20; ++i) {
    RawClient client = RawClient::Login(pgweir().port());
    client.Query("select 1");
    i % 2 == 0 ? client.Close() : client.Reset();
  }
  ExpectAlive();
  EXPECT_LE(server().CountBackends(), std::max(before, 5));
}

// Rule 24: a client that doesn't read stalls its own backend, in bounded memory.
TEST_F(Isolation, ClientThatDoesNotReadStallsItsOwnBackendOnly) {
  RawClient lazy = RawClient::Login(pgweir().port());
  const int64_t before = pgweir().PeakResidentBytes();
  lazy.Send(fe::Query("select repeat('x', 10000) from generate_series(1, 20000)"));
  Connection connection(pgweir().Conninfo());
  for (int i = 0; i < 200; ++i) ASSERT_EQ(connection.Value("select 1"), "1");
  EXPECT_LT(pgweir().PeakResidentBytes() - before, 32 << 20);
  EXPECT_EQ(lazy.ReadUntilReady().size(), 20003u);
}

// Rule 26: one endless reader doesn't starve the rest.
TEST_F(Isolation, LargeResultLeavesOthersTheirTurn) {
  RawClient greedy = RawClient::Login(pgweir().port());
  greedy.Send(fe::Query("select repeat('x', 1000) from generate_series(1, 300000)"));
  Connection connection(pgweir().Conninfo());
  auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(connection.Value("select 1"), "1");
    greedy.Read();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST_F(Isolation, GarbageOfEveryKindEndsNobodyElse) {
  RawClient other = RawClient::Login(pgweir().port());
  unsigned seed = 20240501;
  for (int round = 0; round < 200; ++round) {
    RawClient client =
        round % 2 == 0 ? RawClient(pgweir().port()) : RawClient::Login(pgweir().port());
    std::string garbage;
    for (int i = 0; i < 40; ++i) garbage += static_cast<char>(rand_r(&seed));
    client.SendSome(garbage);
  }
  EXPECT_EQ(Types(other.Query("select 1")), "TDCZ");
  ExpectAlive();
}

}  // namespace
}  // namespace pgweir::test
