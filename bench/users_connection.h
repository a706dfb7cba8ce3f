#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <vector>

namespace pgweir::bench {

// BEGIN, one statement, COMMIT.
struct Transaction {
  const char* statement;
  std::vector<std::string> values;
};

// A connection of an application's pool: libpq's, which never blocks.
class UserConnection {
 public:
  enum class Outcome { kUnderWay, kDone, kFailed };

  // Begins to connect.
  explicit UserConnection(const std::string& conninfo);

  // Begins a transaction, on a connection that is idle.
  void Run(Transaction transaction);

  // To be called whenever the socket is ready: goes on with connecting or the transaction.
  Outcome Continue();

  bool connected() const { return connected_; }
  bool busy() const { return busy_; }  // connecting, or in a transaction
  bool failed() const { return failed_; }
  int socket() const { return PQsocket(connection_.get()); }
  bool wants_write() const { return wants_write_; }

  // Why it failed: PostgreSQL's first line.
  std::string error() const;

 private:
  Outcome Connect();
  Outcome ReadAnswers();
  void SendStep();

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
  bool connected_ = false;
  bool busy_ = true;
  bool wants_write_ = true;
  Transaction transaction_{};
  int step_ = 0;  // of the transaction's three statements
  bool failed_ = false;
};

}  // namespace pgweir::bench
