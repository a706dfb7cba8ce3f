// Behind a balancer that says whose connection it brings, and what guessing passwords costs.

#include <openssl/ssl.h>

#include <thread>

#include "fmt/format.h"
#include "tests/support/certificate.h"
#include "tests/support/proxy_test.h"
#include "wire/protocol.h"

namespace pgweir::test {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kHeader = "PROXY TCP4 10.9.8.7 10.0.0.1 4321 5432\r\n";

std::string V2(char command, std::string_view addresses) {
  std::string header("\r\n\r\n\0\r\nQUIT\n", 12);
  header += command;
  header += '\x11';
  header += '\0';
  header += static_cast<char>(addresses.size());
  return header + std::string(addresses);
}

class Balancer : public ProxyTest {
 protected:
  // Only 10.9.8.7 may come in.
  PgweirOptions Options(std::string_view trusted) {
    WriteFile(files_.File("hba"), "host all all 10.9.8.7/32 trust\n");
    MakeCertificate(files_.path(), "server", "127.0.0.1");
    return {.listen = fmt::format("proxy_protocol = [{1}]\ntls = {{ mode = \"prefer\", certificate "
                                  "= \"{0}/server.crt\", key = \"{0}/server.key\" }}",
                                  files_.path(), trusted),
            .auth = fmt::format("method = \"hba\"\nhba_file = \"{}/hba\"\nfailure_delay = \"0s\"",
                                files_.path()),
            .databases = DatabaseToml("*", server().port())};
  }
  static std::string Hello() {
    return fe::Startup({{"user", "postgres"}, {"database", "postgres"}});
  }
  // The SQLSTATE that refuses a client that begins like this, "" when it gets in.
  static std::string Refusal(const PgweirProcess& process, std::string_view header) {
    RawClient client(process.port());
    client.Send(std::string(header) + Hello());
    const Message answer = client.Read();
    return answer.type == 'E' ? Field(answer, 'C') : "";
  }

  TempFolder files_{"balancer"};
};

TEST_F(Balancer, ItsWordCountsForTheRules) {
  PgweirProcess process(Options("\"127.0.0.0/8\""));
  EXPECT_EQ(Refusal(process, kHeader), "");
  EXPECT_EQ(Refusal(process, "PROXY TCP4 10.9.8.6 10.0.0.1 4321 5432\r\n"), "28000");
  EXPECT_EQ(Refusal(process, V2(0x21, std::string_view("\x0a\x09\x08\x07\x0a\0\0\1\1\2\3\4", 12))),
            "");
  // Its own connections are its own.
  EXPECT_EQ(Refusal(process, "PROXY UNKNOWN\r\n"), "28000");
  EXPECT_EQ(Refusal(process, V2(0x20, "")), "28000");
  EXPECT_TRUE(process.WaitLog("client=10.9.8.6:4321"));
}

TEST_F(Balancer, HeaderMayComeInPieces) {
  PgweirProcess process(Options("\"127.0.0.1\""));
  RawClient client(process.port());
  client.SendSlowly(std::string(kHeader) + Hello());
  EXPECT_EQ(client.Expect('R').type, 'R');
  client.ReadUntilReady();
  EXPECT_EQ(Types(client.Query("select 1")), "TDCZ");
}

TEST_F(Balancer, MustBringAHeader) {
  PgweirProcess process(Options("\"127.0.0.1\""));
  for (const std::string& start : {Hello(), std::string("PROXY TCP4 nonsense\r\n"),
                                   V2(0x21, "cut") + Hello(), std::string("PROXY ") + Hello()}) {
    RawClient client(process.port());
    client.Send(start);
    client.HalfClose();
    EXPECT_TRUE(client.ClosedByPeer());
  }
}

TEST_F(Balancer, NobodyElseMayBringOne) {
  PgweirProcess process(Options("\"10.0.0.0/8\""));
  for (const std::string& header : {std::string(kHeader), V2(0x20, "")}) {
    RawClient client(process.port());
    client.Send(header + Hello());
    const Message refusal = client.Expect('E');
    EXPECT_EQ(Field(refusal, 'C'), "08P01");
    EXPECT_NE(Field(refusal, 'M').find("listen.proxy_protocol"), std::string::npos);
  }
}

// The header stands before TLS, asked for or begun at once.
TEST_F(Balancer, TlsFollowsTheHeader) {
  PgweirProcess process(Options("\"127.0.0.1\""));
  for (const bool direct : {false, true}) {
    RawClient client(process.port());
    if (direct) {
      client.Send(kHeader);
    } else {
      client.Send(std::string(kHeader) + fe::Request(wire::kSslRequestCode));
      ASSERT_EQ(client.ReadByte(), 'S');
    }
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(
        SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
    constexpr unsigned char kAlpn[] = "\x0apostgresql";
    SSL_set_alpn_protos(ssl.get(), kAlpn, sizeof kAlpn - 1);
    SSL_set_fd(ssl.get(), client.fd());
    ASSERT_EQ(SSL_connect(ssl.get()), 1);
    const std::string hello = Hello();
    SSL_write(ssl.get(), hello.data(), static_cast<int>(hello.size()));
    char first = 0;
    ASSERT_EQ(SSL_read(ssl.get(), &first, 1), 1);
    EXPECT_EQ(first, 'R');
  }
}

class Guessing : public ProxyTest {
 protected:
  static PgweirOptions Options(std::string_view delay) {
    return {.listen = "workers = 1",
            .auth = fmt::format("method = \"scram-sha-256\"\nusers_file = "
                                "\"users.txt\"\nfailure_delay = \"{}\"",
                                delay),
            .databases = DatabaseToml("*", server().port(), "user=postgres"),
            .users = "\"ann\" \"wonder\"\n\"bob\" \"builder\"\n"};
  }
  static milliseconds TimeOf(const PgweirProcess& process, std::string_view password,
                             std::string_view refusal, std::string_view user = "ann") {
    const auto start = std::chrono::steady_clock::now();
    Connection connection(fmt::format("{} password={}", process.Conninfo(user), password));
    EXPECT_EQ(connection.refusal(), refusal);
    return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
  }
};

TEST_F(Guessing, TakesLongerAndLonger) {
  PgweirProcess process(Options("400ms"));
  for (int i = 0; i < 2; ++i) EXPECT_LT(TimeOf(process, "wander", "28P01"), milliseconds(400));
  EXPECT_GE(TimeOf(process, "wander", "28P01"), milliseconds(400));
  EXPECT_GE(TimeOf(process, "wander", "28P01"), milliseconds(800));
  // Meanwhile the one worker serves others, from the same address too.
  std::thread guesser([&] { TimeOf(process, "wander", "28P01"); });
  EXPECT_LT(TimeOf(process, "builder", "", "bob"), milliseconds(800));
  // The right password may be a guess as well.
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_GE(TimeOf(process, "wonder", ""), milliseconds(400));
  guesser.join();
}

TEST_F(Guessing, CostsNothingWhereTheDelayIsOff) {
  PgweirProcess process(Options("0s"));
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 8; ++i) TimeOf(process, "wander", "28P01");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(4));
}

// A client that leaves before it is answered leaves nothing behind.
TEST_F(Guessing, DelayEndsWithItsClient) {
  PgweirProcess process(Options("10s"));
  for (int i = 0; i < 4; ++i) {
    RawClient client(process.port());
    client.Send(fe::Startup({{"user", "ann"}}));
    if (i == 3) {
      EXPECT_TRUE(client.Silent(300)) << "who hangs up may guess again at once";
      break;
    }
    client.Expect('R');
    const std::string first = "n,,n=,r=abcdefghijklmnopqr";
    client.Send(fe::Typed('p', std::string("SCRAM-SHA-256") + '\0' +
                                   fe::Int32(static_cast<uint32_t>(first.size())) + first));
    const std::string body = client.Expect('R').body.substr(4);
    const std::string nonce = body.substr(2, body.find(",s=") - 2);
    client.Send(fe::Typed('p', "c=biws,r=" + nonce + ",p=" + std::string(43, 'A') + "="));
    if (i < 2) client.Expect('E');
    if (i >= 2) EXPECT_TRUE(client.Silent(300));
  }
  const auto start = std::chrono::steady_clock::now();
  process.Signal(SIGTERM);  // waits for all clients
  EXPECT_EQ(process.WaitExit().value_or(-1), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
}

}  // namespace
}  // namespace pgweir::test
