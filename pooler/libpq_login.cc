#include "pooler/libpq_login.h"

#include <libpq-fe.h>

#include <algorithm>

#include "pooler/channel.h"

namespace pgweir::pooler {
namespace {

struct PgConnDeleter {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using PgConnPtr = std::unique_ptr<PGconn, PgConnDeleter>;

// libpq's arrays of keywords and values; valid as long as the target.
struct Keywords {
  explicit Keywords(const Target& target) {
    // The first dbname is read as a connection string, which overrides what stands before it; what
    // follows overrides the string, "" leaves it.
    names = {"tcp_user_timeout", "dbname", "dbname", "user", "password", "gssencmode"};
    values = {"30000",
              target.connection_string.c_str(),
              target.database.c_str(),
              target.user.c_str(),
              target.password.c_str(),
              "disable"};
    for (const auto& [keyword, value] : target.keywords) {
      names.push_back(keyword.c_str());
      values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
  }
  std::vector<const char*> names, values;
};

PgConnPtr Start(const Target& target) {
  const Keywords keywords(target);
  PgConnPtr connection(PQconnectStartParams(keywords.names.data(), keywords.values.data(), 1));
  if (connection != nullptr) {
    PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
    // Makes libpq put the SQLSTATE into its message: there is no other way to learn it.
    PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
  }
  return connection;
}

bool IsSqlState(std::string_view s) {
  return std::all_of(s.begin(), s.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}

// libpq's message, "... failed: FATAL:  28P01: text\nLOCATION:  ...", as an error with that
// SQLSTATE and text; what the server did not say itself is 08001 with libpq's words.
Status FailureOf(std::string message) {
  if (const size_t location = message.find("\nLOCATION:"); location != std::string::npos) {
    message.resize(location);
  }
  while (!message.empty() && message.back() == '\n') message.pop_back();
  for (size_t at = message.find(":  "); at != std::string::npos; at = message.find(":  ", at + 1)) {
    const std::string_view rest = std::string_view(message).substr(at + 3);
    if (rest.size() > 7 && rest.substr(5, 2) == ": " && IsSqlState(rest.substr(0, 5))) {
      return Error(rest.substr(0, 5), rest.substr(7));
    }
  }
  return Error(sqlstate::kCannotConnect, message);
}

// libpq gives parameters by name only, so every known name is asked for.
wire::ParametersRef ReadParameters(PGconn* connection) {
  auto parameters = std::make_shared<wire::Parameters>();
  for (const std::string_view name : wire::ReportedNames()) {
    const char* value = PQparameterStatus(connection, std::string(name).c_str());
    if (value != nullptr) parameters->Report(name, value);
  }
  return parameters;
}

class LibpqOwner final : public ServerConnection::Owner {
 public:
  explicit LibpqOwner(PgConnPtr connection) : connection_(std::move(connection)) {}

 private:
  const PgConnPtr connection_;
};

class LibpqCancel final : public ServerCancel {
 public:
  explicit LibpqCancel(PGcancel* cancel) : cancel_(cancel) {}
  Status Send() const override {
    char error[256] = "";
    if (PQcancel(cancel_.get(), error, sizeof error) != 0) return absl::OkStatus();
    return Error(sqlstate::kCannotConnect, error);
  }

 private:
  struct Deleter {
    void operator()(PGcancel* cancel) const { PQfreeCancel(cancel); }
  };
  const std::unique_ptr<PGcancel, Deleter> cancel_;
};

ServerConnection TakeOver(PgConnPtr connection) {
  PQsetnonblocking(connection.get(), 1);  // so that PQfinish never waits
  PQisBusy(connection.get());             // lets libpq parse what it has read already
  ServerConnection result;
  result.fd = PQsocket(connection.get());
  result.ssl = static_cast<SSL*>(PQsslStruct(connection.get(), "OpenSSL"));
  result.process_id = PQbackendPID(connection.get());
  result.parameters = ReadParameters(connection.get());
  if (PGcancel* cancel = PQgetCancel(connection.get()); cancel != nullptr) {
    result.cancel = std::make_shared<LibpqCancel>(cancel);
  }
  result.owner = std::make_unique<LibpqOwner>(std::move(connection));
  return result;
}

}  // namespace

net::Task<StatusOr<ServerConnection>> LogInByLibpq(const Target& target, Readiness& readiness) {
  PgConnPtr connection = Start(target);
  if (connection == nullptr) co_return Error(sqlstate::kCannotConnect, "out of memory");
  if (PQstatus(connection.get()) == CONNECTION_BAD) {
    co_return FailureOf(PQerrorMessage(connection.get()));
  }
  PostgresPollingStatusType step = PGRES_POLLING_WRITING;
  while (step != PGRES_POLLING_OK) {
    const auto way =
        step == PGRES_POLLING_READING ? Readiness::Way::kReading : Readiness::Way::kWriting;
    // libpq may go on with another socket after any step.
    const bool ready = co_await readiness.Await(PQsocket(connection.get()), way, kNoDeadline);
    if (!ready) co_return TimedOut();
    step = PQconnectPoll(connection.get());
    if (step == PGRES_POLLING_FAILED) co_return FailureOf(PQerrorMessage(connection.get()));
  }
  co_return TakeOver(std::move(connection));
}

}  // namespace pgweir::pooler
