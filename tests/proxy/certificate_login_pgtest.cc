// Certificates as proof, on both sides, and what becomes of expired and replaced ones.

#include <filesystem>

#include "fmt/format.h"
#include "tests/support/certificate.h"
#include "tests/support/proxy_test.h"

namespace pgweir::test {
namespace {

class CertificateLogin : public ProxyTest {
 protected:
  // `digest` signs the server's certificate.
  explicit CertificateLogin(std::string_view digest = "sha256") {
    MakeCertificate(keys_.path(), "server", "127.0.0.1", digest);
    MakeCertificate(keys_.path(), "ann", "ann");
  }

  PgweirOptions Options(std::string_view auth) const {
    return {.listen = fmt::format("tls = {{ mode = \"require\", certificate = \"{0}/server.crt\", "
                                  "key = \"{0}/server.key\", ca = \"{0}/ann.crt\" }}",
                                  keys_.path()),
            .auth = fmt::format("{}\nusers_file = \"users.txt\"\nfailure_delay = \"0s\"", auth),
            .databases = DatabaseToml("*", server().port(), "user=postgres"),
            .users = "\"ann\" \"wonder\"\n"};
  }
  Connection Connect(const PgweirProcess& process, std::string_view user,
                     std::string_view certificate, std::string_view more = "sslmode=require") {
    return Connection(
        fmt::format("{0} sslcert={1}/{2}.crt sslkey={1}/{2}.key sslrootcert={1}/"
                    "server.crt {3}",
                    process.Conninfo(user), keys_.path(), certificate, more));
  }

  TempFolder keys_{"keys"};
};

TEST_F(CertificateLogin, NameOfTheCertificateIsTheUser) {
  PgweirProcess process(Options("method = \"cert\""));
  Connection ann = Connect(process, "ann", "ann");
  ASSERT_TRUE(ann.ok()) << ann.error();
  EXPECT_EQ(ann.Value("select 1"), "1");
  Connection bob = Connect(process, "bob", "ann");
  EXPECT_EQ(bob.refusal(), "28000");
  EXPECT_NE(bob.error().find("certificate authentication failed for user \"bob\""),
            std::string::npos)
      << bob.error();
  Connection none = Connect(process, "ann", "none");
  EXPECT_EQ(none.refusal(), "28000");
  EXPECT_NE(none.error().find("requires a valid client certificate"), std::string::npos);
}

TEST_F(CertificateLogin, MapSaysWhoElseItIs) {
  WriteFile(keys_.File("ident"), "people ann boss\n");
  PgweirProcess process(Options(fmt::format(
      "method = \"cert\"\nident_map = \"people\"\nident_file = \"{}\"", keys_.File("ident"))));
  EXPECT_TRUE(Connect(process, "boss", "ann").ok());
  EXPECT_EQ(Connect(process, "ann", "ann").refusal(), "28000");
}

TEST_F(CertificateLogin, ExpiredClientCertificateIsRefused) {
  PgweirProcess process(Options("method = \"cert\""));
  EXPECT_TRUE(Connect(process, "ann", "ann").ok());
  ExpireCertificate(keys_.path(), "ann");
  ASSERT_TRUE(process.Reload("reloaded"));
  Connection expired = Connect(process, "ann", "ann");
  EXPECT_FALSE(expired.ok());
  EXPECT_NE(expired.error().find("expired"), std::string::npos) << expired.error();
}

TEST_F(CertificateLogin, ReplacedAuthorityCountsAfterAReload) {
  PgweirProcess process(Options("method = \"cert\""));
  Connection before = Connect(process, "ann", "ann");
  for (const char* kind : {".crt", ".key"}) {
    std::filesystem::copy(keys_.File(std::string("ann") + kind),
                          keys_.File(std::string("old") + kind));
  }
  MakeCertificate(keys_.path(), "ann", "ann");
  EXPECT_FALSE(Connect(process, "ann", "ann").ok());
  ASSERT_TRUE(process.Reload("reloaded"));
  EXPECT_TRUE(Connect(process, "ann", "ann").ok());
  EXPECT_FALSE(Connect(process, "ann", "old").ok());
  EXPECT_EQ(before.Value("select 1"), "1");
}

TEST_F(CertificateLogin, ExpiredServerCertificateIsSeenUntilItIsReplaced) {
  ExpireCertificate(keys_.path(), "server");
  PgweirProcess process(Options("method = \"trust\""));
  EXPECT_FALSE(Connect(process, "ann", "ann", "sslmode=verify-full").ok());
  MakeCertificate(keys_.path(), "server", "127.0.0.1");
  ASSERT_TRUE(process.Reload("reloaded"));
  Connection renewed = Connect(process, "ann", "ann", "sslmode=verify-full");
  EXPECT_TRUE(renewed.ok()) << renewed.error();
}

// Where nobody looks at it, a wrong certificate keeps nobody out.
TEST_F(CertificateLogin, IsNotAskedForWithoutNeed) {
  MakeCertificate(keys_.path(), "stranger", "ann");
  PgweirProcess process(Options("method = \"scram-sha-256\""));
  Connection stranger = Connect(process, "ann", "stranger", "sslmode=require password=wonder");
  EXPECT_TRUE(stranger.ok()) << stranger.error();
}

class ChannelBinding : public CertificateLogin,
                       public testing::WithParamInterface<std::string_view> {
 protected:
  ChannelBinding() : CertificateLogin(GetParam()) {}
};

// Each signature has its hash, by which both ends know the certificate.
TEST_P(ChannelBinding, LetsInWhoRequiresIt) {
  PgweirProcess process(Options("method = \"scram-sha-256\""));
  for (const char* wanted : {"require", "prefer", "disable"}) {
    Connection connection =
        Connect(process, "ann", "none",
                fmt::format("sslmode=require password=wonder channel_binding={}", wanted));
    EXPECT_TRUE(connection.ok()) << wanted << connection.error();
  }
  Connection wrong =
      Connect(process, "ann", "none", "sslmode=require password=wander channel_binding=require");
  EXPECT_EQ(wrong.refusal(), "28P01");
}

INSTANTIATE_TEST_SUITE_P(Signature, ChannelBinding, testing::Values("sha256", "sha384", "sha512"),
                         [](const auto& info) { return std::string(info.param); });

class ScramOffer : public CertificateLogin {
 protected:
  // The mechanisms offered to a client without TLS.
  static std::string Offered(RawClient& client) {
    client.Send(fe::Startup({{"user", "ann"}, {"database", "postgres"}}));
    return client.Expect('R').body.substr(4);
  }
};

// Nothing is there to bind to.
TEST_F(ScramOffer, IsPlainScramWithoutTls) {
  PgweirOptions options = Options("method = \"scram-sha-256\"");
  options.listen = "";
  PgweirProcess process(options);
  RawClient client(process.port());
  EXPECT_EQ(Offered(client), std::string("SCRAM-SHA-256\0\0", 15));
  RawClient plus(process.port());
  Offered(plus);
  const std::string first = "p=tls-server-end-point,,n=,r=abcdefghijklmnopqr";
  plus.Send(fe::Typed('p', std::string("SCRAM-SHA-256-PLUS") + '\0' +
                               fe::Int32(static_cast<uint32_t>(first.size())) + first));
  EXPECT_EQ(Field(plus.Expect('E'), 'C'), "08P01");
}

// Rule 17: over TLS a client that saw no channel binding offered has somebody in the middle.
TEST_F(ScramOffer, DowngradeIsRefused) {
  PgweirProcess process(Options("method = \"scram-sha-256\""));
  for (const auto& [flag, answer] : {std::pair{"y", "E"}, std::pair{"n", "R"}}) {
    const std::string first = std::string(flag) + ",,n=,r=abcdefghijklmnopqr";
    WriteFile(keys_.File("hello"),
              fe::Startup({{"user", "ann"}}) +
                  fe::Typed('p', std::string("SCRAM-SHA-256") + '\0' +
                                     fe::Int32(static_cast<uint32_t>(first.size())) + first) +
                  fe::Terminate());
    CommandResult result =
        RunCommand({.argv = {"openssl", "s_client", "-quiet", "-alpn", "postgresql", "-connect",
                             fmt::format("127.0.0.1:{}", process.port())},
                    .input = keys_.File("hello")},
                   std::chrono::seconds(10));
    const bool refused = result.output.find("negotiation error") != std::string::npos;
    EXPECT_EQ(refused, *answer == 'E') << flag << result.output;
    EXPECT_NE(result.output.find("SCRAM-SHA-256-PLUS"), std::string::npos) << flag;
  }
}

// Rule 5: the protocol is named behind SSLRequest too, where the client asks for it.
TEST_F(ScramOffer, NegotiatedTlsAnswersAlpn) {
  PgweirProcess process(Options("method = \"trust\""));
  CommandResult result =
      RunCommand({.argv = {"openssl", "s_client", "-starttls", "postgres", "-alpn", "postgresql",
                           "-connect", fmt::format("127.0.0.1:{}", process.port())}},
                 std::chrono::seconds(10));
  EXPECT_NE(result.output.find("ALPN protocol: postgresql"), std::string::npos) << result.output;
}

}  // namespace
}  // namespace pgweir::test
