#pragma once

#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// libpq, the stock client, with owners around its handles.

namespace pgweir::test {

class Result {
 public:
  explicit Result(PGresult* result) : result_(result) {}

  PGresult* get() const { return result_.get(); }
  ExecStatusType status() const { return PQresultStatus(get()); }
  // Whether the server carried it out.
  bool ok() const;
  std::string sqlstate() const;  // "" when there is none
  std::string message() const { return PQresultErrorMessage(get()); }
  int rows() const { return PQntuples(get()); }
  std::string tag() const { return PQcmdStatus(get()); }
  // "" for NULL and for what isn't there.
  std::string Value(int row = 0, int column = 0) const;

 private:
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clear> result_;
};

class Connection {
 public:
  // Connects, within 20 seconds. A refusal isn't an exception: ok(), error() and refusal() tell.
  explicit Connection(const std::string& conninfo);

  PGconn* get() const { return connection_.get(); }
  bool ok() const { return PQstatus(get()) == CONNECTION_OK; }
  std::string error() const { return PQerrorMessage(get()); }
  // Of the refusal, "" when there was none or none was given.
  std::string refusal() const { return refusal_; }
  int socket() const { return PQsocket(get()); }
  PGTransactionStatusType transaction() const { return PQtransactionStatus(get()); }
  std::string Parameter(const char* name) const;

  // The last result of the statement or statements, or the first error.
  Result Exec(std::string_view sql) const;
  Result ExecParams(std::string_view sql, const std::vector<std::string>& parameters,
                    int result_format = 0) const;

  // The first value; throws when the statement fails or the connection never was.
  std::string Value(std::string_view sql) const;

  // Sends without waiting; Next() then gives result after result, none at the end of each.
  void Send(std::string_view sql) const;
  std::optional<Result> Next() const;

  // Waits for the next result. False at the deadline.
  bool Ready(int timeout_ms) const;

  // Asks for cancellation by the key of this connection; "" or what went wrong.
  std::string Cancel() const;

  void Close() { connection_.reset(); }
  // Cuts the TCP connection without a Terminate, as a killed client does.
  void Abandon();

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  void Connect();
  Result Collect() const;

  std::unique_ptr<PGconn, Finish> connection_;
  std::string refusal_;
};

}  // namespace pgweir::test
