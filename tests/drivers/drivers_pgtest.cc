// Programs that use the drivers of many languages as their users do, with default options: each
// against PostgreSQL itself and against pgweir in transaction mode on three backends, by SCRAM
// over TLS.

#include "fmt/format.h"
#include "tests/support/certificate.h"
#include "tests/support/proxy_test.h"

namespace pgweir::test {
namespace {

class Drivers : public testing::TestWithParam<Way> {
 protected:
  static void SetUpTestSuite() {
    PostgresOptions options{.hba = {"hostssl all all 127.0.0.1/32 scram-sha-256"},
                            .tls = true,
                            .settings = {"max_prepared_transactions = 10"}};
    server_ = std::make_unique<PostgresServer>(options);
    server_->Query("create role app superuser login password 'app-secret'");
    server_->Query("create database app owner app");
    keys_ = std::make_unique<TempFolder>("keys");
    MakeCertificate(keys_->path(), "server", "127.0.0.1");
  }
  static void TearDownTestSuite() {
    keys_.reset();
    server_.reset();
  }

  void SetUp() override {
    if (GetParam() == Way::kDirect) return;
    std::string tls = fmt::format(
        "tls = {{ mode = \"require\", certificate = \"{0}/server.crt\", key = \"{0}/server.key\" "
        "}}",
        keys_->path());
    pgweir_ = std::make_unique<PgweirProcess>(
        PgweirOptions{.listen = "workers = 2\n" + tls,
                      .auth = "method = \"scram-sha-256\"\nusers_file = \"users.txt\"",
                      .pool = "size = 3\nwait_timeout = \"10s\"",
                      .databases = DatabaseToml("*", server_->port(), "sslmode=require"),
                      .log = "level = \"info\"",
                      .users = "\"app\" \"app-secret\"\n"});
  }

  static std::string Program(std::string_view name) {
    return fmt::format("{}/{}", PGWEIR_DRIVERS_SOURCES, name);
  }
  static std::string Compiled(std::string_view name) {
    return fmt::format("{}/{}", PGWEIR_DRIVERS_BINARIES, name);
  }

  void Run(std::vector<std::string> argv) {
    const bool direct = GetParam() == Way::kDirect;
    ChildOptions options{
        .argv = std::move(argv),
        .env = {"PGHOST=127.0.0.1",
                fmt::format("PGPORT={}", direct ? server_->port() : pgweir_->port()), "PGUSER=app",
                "PGPASSWORD=app-secret", "PGDATABASE=app", "PGSSLMODE=require",
                fmt::format("DRIVERS_POOLED={}", direct ? 0 : 1),
                fmt::format("NODE_PATH={}/node/usr/share/nodejs", PGWEIR_DRIVERS_BINARIES)}};
    const CommandResult result = RunCommand(options, std::chrono::seconds(60));
    EXPECT_EQ(result.status, 0) << result.output;
    EXPECT_EQ(result.output.rfind("ok ", 0), 0U) << result.output;
    if (direct) return;
    EXPECT_TRUE(pgweir_->Running());
    EXPECT_LE(server_->CountBackends(), 3);
  }

  void RunPython(std::string_view name) { Run({"/usr/bin/python3", "-B", Program(name)}); }

  static std::unique_ptr<PostgresServer> server_;
  static std::unique_ptr<TempFolder> keys_;
  std::unique_ptr<PgweirProcess> pgweir_;
};

std::unique_ptr<PostgresServer> Drivers::server_;
std::unique_ptr<TempFolder> Drivers::keys_;

TEST_P(Drivers, LibpqWorksAsWithPostgres) { Run({Compiled("libpq_driver")}); }

TEST_P(Drivers, LibpqxxWorksAsWithPostgres) { Run({Compiled("libpqxx_driver")}); }

TEST_P(Drivers, Psycopg2WorksAsWithPostgres) { RunPython("psycopg2_test.py"); }

TEST_P(Drivers, Psycopg3WorksAsWithPostgres) { RunPython("psycopg3_test.py"); }

TEST_P(Drivers, AsyncpgWorksAsWithPostgres) { RunPython("asyncpg_test.py"); }

TEST_P(Drivers, SqlalchemyWorksAsWithPostgres) { RunPython("sqlalchemy_test.py"); }

TEST_P(Drivers, NodePostgresWorksAsWithPostgres) {
  Run({"/usr/bin/node", Program("node_postgres_test.js")});
}

TEST_P(Drivers, JdbcWorksAsWithPostgres) {
  Run({"java", "-cp", "/usr/share/java/postgresql.jar", Program("JdbcTest.java")});
}

PGWEIR_BOTH_WAYS(Drivers);

}  // namespace
}  // namespace pgweir::test
