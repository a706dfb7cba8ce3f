#include "tests/support/pq.h"

#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <stdexcept>

namespace pgweir::test {

bool Result::ok() const {
  switch (status()) {
    case PGRES_EMPTY_QUERY:
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_SINGLE_TUPLE:
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_PIPELINE_SYNC:
      return true;
    default:
      return false;
  }
}

std::string Result::sqlstate() const {
  const char* state = PQresultErrorField(get(), PG_DIAG_SQLSTATE);
  return state == nullptr ? "" : state;
}

std::string Result::Value(int row, int column) const {
  if (row >= PQntuples(get()) || column >= PQnfields(get())) return "";
  return {PQgetvalue(get(), row, column), static_cast<size_t>(PQgetlength(get(), row, column))};
}

Connection::Connection(const std::string& conninfo)
    : connection_(PQconnectStart(conninfo.c_str())) {
  // Notices are for tests that ask for them, not for the terminal.
  PQsetNoticeProcessor(get(), [](void*, const char*) {}, nullptr);
  // Only so do refusals come with their SQLSTATE: "FATAL:  28P01: password ...".
  PQsetErrorVerbosity(get(), PQERRORS_VERBOSE);
  Connect();
  PQsetErrorVerbosity(get(), PQERRORS_DEFAULT);
  std::string text = error();
  size_t fatal = ok() ? std::string::npos : text.find("FATAL:  ");
  if (fatal != std::string::npos) refusal_ = text.substr(fatal + 8, 5);
}

void Connection::Connect() {
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  PostgresPollingStatusType step = PGRES_POLLING_WRITING;
  while (ok() || PQstatus(get()) != CONNECTION_BAD) {
    if (step == PGRES_POLLING_OK || step == PGRES_POLLING_FAILED) return;
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("login hangs");
    short events = step == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    pollfd wait{.fd = socket(), .events = events, .revents = 0};
    if (::poll(&wait, 1, 1000) > 0) step = PQconnectPoll(get());
  }
}

std::string Connection::Parameter(const char* name) const {
  const char* value = PQparameterStatus(get(), name);
  return value == nullptr ? "" : value;
}

Result Connection::Exec(std::string_view sql) const {
  PQsendQuery(get(), std::string(sql).c_str());
  return Collect();
}

Result Connection::ExecParams(std::string_view sql, const std::vector<std::string>& parameters,
                              int result_format) const {
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  PQsendQueryParams(get(), std::string(sql).c_str(), static_cast<int>(values.size()), nullptr,
                    values.data(), nullptr, nullptr, result_format);
  return Collect();
}

// As PQexec does, but the first error wins: after a FATAL libpq adds one of its own, without
// SQLSTATE, on the end of the connection.
Result Connection::Collect() const {
  Result last(nullptr);
  while (std::optional<Result> next = Next()) {
    bool had_error = last.status() == PGRES_FATAL_ERROR && last.get() != nullptr;
    if (!had_error) last = *std::move(next);
    ExecStatusType status = last.status();
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) break;
  }
  return last;
}

std::string Connection::Value(std::string_view sql) const {
  Result result = Exec(sql);
  if (!result.ok()) throw std::runtime_error(std::string(sql) + ": " + error());
  return result.Value();
}

void Connection::Send(std::string_view sql) const {
  if (PQsendQuery(get(), std::string(sql).c_str()) != 1) throw std::runtime_error(error());
}

std::optional<Result> Connection::Next() const {
  PGresult* result = PQgetResult(get());
  if (result == nullptr) return std::nullopt;
  return Result(result);
}

bool Connection::Ready(int timeout_ms) const {
  auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (PQisBusy(get()) != 0) {
    auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd wait{.fd = socket(), .events = POLLIN, .revents = 0};
    ::poll(&wait, 1, static_cast<int>(left.count()));
    if (PQconsumeInput(get()) == 0) return true;
  }
  return true;
}

std::string Connection::Cancel() const {
  PGcancel* cancel = PQgetCancel(get());
  char reason[256] = "no cancel key";
  bool sent = cancel != nullptr && PQcancel(cancel, reason, sizeof reason) == 1;
  PQfreeCancel(cancel);
  return sent ? "" : reason;
}

void Connection::Abandon() {
  // Without this libpq's PQfinish would still say Terminate.
  ::shutdown(socket(), SHUT_RDWR);
  connection_.reset();
}

}  // namespace pgweir::test
