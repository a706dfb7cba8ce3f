#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/temp_folder.h"

namespace pgweir::test {

class PostgresServer;

struct PostgresOptions {
  int max_connections = 100;
  // pg_hba.conf lines for TCP. Connections over the unix socket are always trusted: the tests'
  // own way in.
  std::vector<std::string> hba = {"host all all 127.0.0.1/32 trust"};
  bool tls = false;                        // with a self-signed certificate
  std::vector<std::string> settings = {};  // lines of postgresql.conf
  // Which runs, with Replicated() options: this one becomes its streaming replica.
  const PostgresServer* replica_of = nullptr;
};

// Of a server that may have replicas, or is one.
PostgresOptions Replicated(const PostgresServer* replica_of = nullptr);

enum class StopMode { kFast, kImmediate };

// A throw-away PostgreSQL server on a loopback port. Its superuser is postgres.
class PostgresServer {
 public:
  explicit PostgresServer(const PostgresOptions& options = {});
  ~PostgresServer();

  void Start();  // on the same port and data as before
  void Stop(StopMode mode = StopMode::kFast);
  bool running() const { return process_.pid() > 0; }
  // Lets a stopped server begin anew as a replica of this one.
  void BecomeReplicaOf(const PostgresServer& primary);

  int port() const { return port_; }
  const std::string& socket_folder() const { return folder_.path(); }
  // Of a server with TLS; it is its own authority.
  std::string certificate() const { return data_ + "/server.crt"; }
  std::string log() const { return ReadFile(folder_.File("log")); }

  // libpq connection strings, over TCP and over the unix socket.
  std::string Conninfo(std::string_view user = "postgres",
                       std::string_view database = "postgres") const;
  std::string SocketConninfo(std::string_view user = "postgres",
                             std::string_view database = "postgres") const;

  // Runs SQL over the unix socket and returns the first value of the last result ("" when there is
  // none). Throws when it fails.
  std::string Query(std::string_view sql, std::string_view database = "postgres") const;

  // Backends of clients as the server counts them, without the asking one, those that are still
  // starting, and those that are pgweir's own.
  int CountBackends(std::string_view where = "true") const;

  // Waits until CountBackends gives this number; false at the deadline.
  bool WaitBackends(int count, std::chrono::milliseconds timeout,
                    std::string_view where = "true") const;

  void ReplaceHba(const std::vector<std::string>& hba);  // and reloads

 private:
  void WriteConfiguration(const PostgresOptions& options);
  void WriteHba(const std::vector<std::string>& hba);
  bool WaitReady();

  TempFolder folder_;
  std::string data_;
  int port_ = 0;
  ChildProcess process_;
};

}  // namespace pgweir::test
