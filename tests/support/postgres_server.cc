#include "tests/support/postgres_server.h"

#include <libpq-fe.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <thread>

#include "fmt/format.h"
#include "tests/support/certificate.h"
#include "tests/support/pq.h"

namespace pgweir::test {
namespace {

constexpr std::string_view kBin = "/usr/lib/postgresql/15/bin/";

void GiveToPostgres(const std::string& path) {
  if (::getuid() != 0) return;
  const passwd* user = ::getpwnam("postgres");
  if (user == nullptr || ::chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) {
    throw std::runtime_error("can't give " + path + " to user postgres");
  }
}

void MustRun(std::vector<std::string> argv) {
  CommandResult result = RunCommand({.argv = argv, .as_postgres = true});
  if (result.status != 0) {
    throw std::runtime_error(fmt::format("{} gave {}: {}", argv[0], result.status, result.output));
  }
}

// initdb takes a second, a copy of its result a tenth: one a test binary.
const std::string& Template() {
  static TempFolder folder("initdb");
  static const std::string data = [] {
    GiveToPostgres(folder.path());
    std::string path = folder.File("data");
    MustRun({std::string(kBin) + "initdb", "-D", path, "-U", "postgres", "-A", "trust", "-E",
             "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions", "--wal-segsize=4"});
    return path;
  }();
  return data;
}

}  // namespace

PostgresOptions Replicated(const PostgresServer* replica_of) {
  return {.settings = {"wal_level = replica", "max_wal_senders = 5", "wal_keep_size = '64MB'",
                       "wal_retrieve_retry_interval = '100ms'"},
          .replica_of = replica_of};
}

PostgresServer::PostgresServer(const PostgresOptions& options)
    : folder_("postgres"), data_(folder_.File("data")), port_(FreePort()) {
  GiveToPostgres(folder_.path());
  if (options.replica_of != nullptr) {
    MustRun({std::string(kBin) + "pg_basebackup", "-D", data_, "-d",
             options.replica_of->SocketConninfo(), "-R", "--checkpoint=fast", "--no-sync",
             "--no-manifest"});
  } else {
    MustRun({"cp", "-a", Template(), data_});
  }
  if (options.tls) {
    MakeCertificate(data_, "server", "127.0.0.1");
    GiveToPostgres(data_ + "/server.key");
  }
  WriteConfiguration(options);
  WriteHba(options.hba);
  Start();
}

void PostgresServer::BecomeReplicaOf(const PostgresServer& primary) {
  WriteFile(data_ + "/postgresql.auto.conf",
            fmt::format("primary_conninfo = '{}'\n", primary.SocketConninfo()));
  WriteFile(data_ + "/standby.signal", "");
  Start();
}

PostgresServer::~PostgresServer() {
  if (!running()) return;
  process_.Signal(SIGQUIT);
  process_.WaitExit(std::chrono::seconds(5));
}

void PostgresServer::WriteConfiguration(const PostgresOptions& options) {
  std::string text = fmt::format(
      "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = '{}'\n"
      "max_connections = {}\nfsync = off\nfull_page_writes = off\n"
      "autovacuum = off\nmax_wal_size = '1GB'\nshared_buffers = '64MB'\nwal_level = minimal\n"
      "max_wal_senders = 0\nlog_line_prefix = '%m [%p] '\npassword_encryption = 'scram-sha-256'\n",
      port_, folder_.path(), options.max_connections);
  if (options.tls) text += "ssl = on\n";
  for (const std::string& line : options.settings) text += line + "\n";
  WriteFile(data_ + "/postgresql.conf", text);
}

void PostgresServer::WriteHba(const std::vector<std::string>& hba) {
  std::string text = "local all all trust\nlocal replication all trust\n";
  for (const std::string& line : hba) text += line + "\n";
  WriteFile(data_ + "/pg_hba.conf", text);
}

void PostgresServer::ReplaceHba(const std::vector<std::string>& hba) {
  WriteHba(hba);
  Query("select pg_reload_conf()");
  // The postmaster reads the file when its signal handler gets to run.
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
}

void PostgresServer::Start() {
  for (int tries = 0; tries < 3; ++tries) {
    // SIGQUIT is an immediate shutdown: the server takes its children along.
    process_ = ChildProcess({.argv = {std::string(kBin) + "postgres", "-D", data_},
                             .output = folder_.File("log"),
                             .as_postgres = true},
                            SIGQUIT);
    if (WaitReady()) return;
  }
  throw std::runtime_error("PostgreSQL doesn't start:\n" + log());
}

bool PostgresServer::WaitReady() {
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (process_.Running() && std::chrono::steady_clock::now() < deadline) {
    if (PQping(SocketConninfo().c_str()) == PQPING_OK) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

void PostgresServer::Stop(StopMode mode) {
  process_.Signal(mode == StopMode::kFast ? SIGINT : SIGQUIT);
  if (process_.WaitExit(std::chrono::seconds(30))) return;
  process_.Kill();
  throw std::runtime_error("PostgreSQL doesn't stop:\n" + log());
}

std::string PostgresServer::Conninfo(std::string_view user, std::string_view database) const {
  return fmt::format("host=127.0.0.1 port={} user={} dbname={}", port_, user, database);
}

std::string PostgresServer::SocketConninfo(std::string_view user, std::string_view database) const {
  return fmt::format("host={} port={} user={} dbname={}", folder_.path(), port_, user, database);
}

std::string PostgresServer::Query(std::string_view sql, std::string_view database) const {
  Connection connection(SocketConninfo("postgres", database));
  return connection.Value(sql);
}

int PostgresServer::CountBackends(std::string_view where) const {
  return std::stoi(
      Query(fmt::format("select count(*) from pg_stat_activity where pid <> "
                        "pg_backend_pid() and backend_type = 'client backend' and "
                        "state is not null and application_name not in ('pgweir catalog', "
                        "'pgweir health') and {}",
                        where)));
}

bool PostgresServer::WaitBackends(int count, std::chrono::milliseconds timeout,
                                  std::string_view where) const {
  auto deadline = std::chrono::steady_clock::now() + timeout;
  while (CountBackends(where) != count) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace pgweir::test
