// Encryption between client and pgweir, by libpq and by the openssl tool.

#include "fmt/format.h"
#include "tests/support/certificate.h"
#include "tests/support/proxy_test.h"
#include "wire/protocol.h"

namespace pgweir::test {
namespace {

class Tls : public ProxyTest {
 protected:
  static void SetUpTestSuite() {
    keys_ = std::make_unique<TempFolder>("keys");
    for (const char* name : {"server", "other"}) MakeCertificate(keys_->path(), name, "127.0.0.1");
    for (const char* name : {"postgres", "stranger"}) MakeCertificate(keys_->path(), name, name);
  }
  static void TearDownTestSuite() {
    keys_.reset();
    ProxyTest::TearDownTestSuite();
  }

  static PgweirOptions Options(std::string_view mode) {
    std::string tls = fmt::format("tls = {{ mode = \"{}\"", mode);
    if (mode != "disable") tls += Files("server");
    if (mode.starts_with("verify"))
      tls += fmt::format(", ca = \"{}\"", keys_->File("postgres.crt"));
    return {.listen = tls + " }", .databases = DatabaseToml("*", server().port())};
  }
  static std::string Files(std::string_view name) {
    return fmt::format(", certificate = \"{0}/{1}.crt\", key = \"{0}/{1}.key\"", keys_->path(),
                       name);
  }

  // As a client in this sslmode that trusts the certificate named.
  static Connection Connect(const PgweirProcess& process, std::string_view mode,
                            std::string_view trusted = "server", std::string_view more = "") {
    return Connection(fmt::format("{} sslmode={} sslrootcert={} {}", process.Conninfo(), mode,
                                  keys_->File(fmt::format("{}.crt", trusted)), more));
  }
  static std::string ClientCertificate(std::string_view name) {
    return fmt::format("sslcert={0}/{1}.crt sslkey={0}/{1}.key", keys_->path(), name);
  }
  static bool Encrypted(const Connection& connection) {
    return connection.ok() && PQsslInUse(connection.get()) != 0;
  }

  static std::unique_ptr<TempFolder> keys_;
};

std::unique_ptr<TempFolder> Tls::keys_;

TEST_F(Tls, DisableTakesPlainClientsOnly) {
  PgweirProcess process(Options("disable"));
  for (const char* mode : {"disable", "allow", "prefer"}) {
    Connection connection = Connect(process, mode);
    EXPECT_TRUE(connection.ok() && !Encrypted(connection)) << mode << connection.error();
  }
  for (const char* mode : {"require", "verify-ca", "verify-full"}) {
    EXPECT_FALSE(Connect(process, mode).ok()) << mode;
  }
}

TEST_F(Tls, AllowAndPreferTakeBoth) {
  for (const char* served : {"allow", "prefer"}) {
    PgweirProcess process(Options(served));
    EXPECT_TRUE(Connect(process, "disable").ok());
    for (const char* mode : {"prefer", "require", "verify-ca", "verify-full"}) {
      Connection connection = Connect(process, mode);
      EXPECT_TRUE(Encrypted(connection)) << mode << connection.error();
      EXPECT_EQ(connection.Value("select length(repeat('t', 1000000))"), "1000000");
    }
  }
}

TEST_F(Tls, RequireRefusesPlainClients) {
  PgweirProcess process(Options("require"));
  Connection plain = Connect(process, "disable");
  EXPECT_FALSE(plain.ok());
  EXPECT_EQ(plain.refusal(), "28000") << plain.error();
  for (const char* mode : {"allow", "prefer", "require", "verify-full"}) {
    EXPECT_TRUE(Encrypted(Connect(process, mode))) << mode;
  }
}

TEST_F(Tls, VerifyCaWantsAClientCertificateItTrusts) {
  PgweirProcess process(Options("verify-ca"));
  EXPECT_FALSE(Connect(process, "require").ok());
  EXPECT_FALSE(Connect(process, "require", "server", ClientCertificate("stranger")).ok());
  Connection known = Connect(process, "require", "server", ClientCertificate("postgres"));
  EXPECT_TRUE(Encrypted(known)) << known.error();
}

TEST_F(Tls, VerifyFullWantsTheUsersName) {
  server().Query("create role somebody login");
  PgweirProcess process(Options("verify-full"));
  std::string certificate = ClientCertificate("postgres");
  EXPECT_TRUE(Encrypted(Connect(process, "require", "server", certificate)));
  Connection other = Connect(process, "require", "server", certificate + " user=somebody");
  EXPECT_FALSE(other.ok());
  EXPECT_EQ(other.refusal(), "28000") << other.error();
}

TEST_F(Tls, CarriesLargeValuesBothWays) {
  PgweirProcess process(Options("require"));
  Connection connection = Connect(process, "require");
  std::string value(8 << 20, 's');
  Result result = connection.ExecParams("select $1::text", {value});
  EXPECT_TRUE(result.Value() == value) << result.message();
}

TEST_F(Tls, CertificateIsReadAgainAtReload) {
  PgweirProcess process(Options("require"));
  Connection before = Connect(process, "verify-ca");
  ASSERT_TRUE(before.ok()) << before.error();
  PgweirOptions replaced = Options("require");
  replaced.listen = fmt::format("tls = {{ mode = \"require\"{} }}", Files("other"));
  process.Rewrite(replaced);
  process.Signal(SIGHUP);
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (!Connect(process, "verify-ca", "other").ok()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  }
  EXPECT_FALSE(Connect(process, "verify-ca", "server").ok());
  EXPECT_EQ(before.Value("select 1"), "1");
}

TEST_F(Tls, SameFilesWithNewContentAreReadAgainAtReload) {
  PgweirProcess process(Options("require"));
  for (const char* kind : {"crt", "key"}) {
    WriteFile(process.folder() + "/own." + kind,
              ReadFile(keys_->File(std::string("server.") + kind)));
  }
  PgweirOptions own = Options("require");
  own.listen = "tls = { mode = \"require\", certificate = \"own.crt\", key = \"own.key\" }";
  process.Rewrite(own);
  ASSERT_TRUE(process.Reload());
  for (const char* kind : {"crt", "key"}) {
    WriteFile(process.folder() + "/own." + kind,
              ReadFile(keys_->File(std::string("other.") + kind)));
  }
  process.Signal(SIGHUP);
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (!Connect(process, "verify-ca", "other").ok()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  }
}

// Rule 2
TEST_F(Tls, BytesBehindATlsRequestAreRejected) {
  PgweirProcess process(Options("prefer"));
  RawClient client(process.port());
  client.Send(fe::Request(wire::kSslRequestCode) + fe::Startup({{"user", "postgres"}}));
  client.HalfClose();
  // An 'S', or an error already; then nothing but the end or a TLS alert, never a welcome.
  char first = client.ReadByte();
  if (first == 'S') first = client.ClosedByPeer() ? 'E' : client.ReadByte();
  EXPECT_TRUE(first == 'E' || first == 0x15) << first;
}

// Rule 5: without the name of the protocol whoever speaks TLS at once gets no service.
TEST_F(Tls, DirectHandshakeNeedsItsProtocolName) {
  PgweirProcess process(Options("prefer"));
  WriteFile(process.folder() + "/startup", fe::Startup({{"user", "postgres"}}) + fe::Terminate());
  auto welcome_after = [&](const std::vector<std::string>& alpn) {
    std::vector<std::string> argv = {"openssl", "s_client", "-quiet", "-connect",
                                     fmt::format("127.0.0.1:{}", process.port())};
    argv.insert(argv.end(), alpn.begin(), alpn.end());
    CommandResult result = RunCommand({.argv = argv, .input = process.folder() + "/startup"},
                                      std::chrono::seconds(10));
    return result.output.find("server_version") != std::string::npos;
  };
  EXPECT_TRUE(welcome_after({"-alpn", "postgresql"}));
  EXPECT_FALSE(welcome_after({}));
  EXPECT_FALSE(welcome_after({"-alpn", "http/1.1"}));
}

// Rule 5: a handshake where there is no TLS, and half a handshake, end cleanly.
TEST_F(Tls, BrokenHandshakesEndCleanly) {
  for (const char* mode : {"disable", "prefer"}) {
    PgweirProcess process(Options(mode));
    for (std::string_view start : {"\x16\x03\x01", "\x16garbage, much of it, no hello at all"}) {
      RawClient client(process.port());
      client.Send(start);
      client.HalfClose();
      client.set_timeout_ms(5000);
      try {
        while (true) client.ReadByte();
      } catch (const std::runtime_error& end) {
        EXPECT_NE(std::string(end.what()).find("closed"), std::string::npos) << end.what();
      }
    }
    EXPECT_TRUE(Connect(process, "prefer").ok());
  }
}

// Rule 28: libpq leaves without close_notify; that is no error.
TEST_F(Tls, EndWithoutCloseNotifyIsNoWarning) {
  PgweirProcess process(Options("require"));
  size_t from = process.log().size();
  Connection connection = Connect(process, "require");
  connection.Value("select 1");
  connection.Abandon();
  Connection(Connect(process, "require")).Value("select 1");
  std::string log = process.log().substr(from);
  EXPECT_EQ(log.find("[error]"), std::string::npos) << log;
  EXPECT_EQ(log.find("[warning]"), std::string::npos) << log;
}

}  // namespace
}  // namespace pgweir::test
