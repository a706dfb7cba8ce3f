#include "bench/users_connection.h"

#include <array>
#include <utility>

namespace pgweir::bench {
namespace {

constexpr int kSteps = 3;

bool Succeeded(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

}  // namespace

UserConnection::UserConnection(const std::string& conninfo)
    : connection_(PQconnectStart(conninfo.c_str()), &PQfinish) {}

void UserConnection::Run(Transaction transaction) {
  transaction_ = std::move(transaction);
  step_ = 0;
  busy_ = true;
  SendStep();
}

UserConnection::Outcome UserConnection::Continue() {
  if (!connected_) return Connect();
  if (wants_write_) {
    const int flushed = PQflush(connection_.get());
    failed_ = failed_ || flushed < 0;
    wants_write_ = flushed == 1;
  }
  if (!failed_ && PQconsumeInput(connection_.get()) == 1) return ReadAnswers();
  return Outcome::kFailed;
}

UserConnection::Outcome UserConnection::Connect() {
  switch (PQconnectPoll(connection_.get())) {
    case PGRES_POLLING_OK:
      connected_ = true;
      busy_ = wants_write_ = false;
      PQsetnonblocking(connection_.get(), 1);
      return Outcome::kDone;
    case PGRES_POLLING_FAILED:
      return Outcome::kFailed;
    case PGRES_POLLING_WRITING:
      wants_write_ = true;
      return Outcome::kUnderWay;
    default:
      wants_write_ = false;
      return Outcome::kUnderWay;
  }
}

UserConnection::Outcome UserConnection::ReadAnswers() {
  while (PQisBusy(connection_.get()) == 0) {
    if (PGresult* result = PQgetResult(connection_.get()); result != nullptr) {
      failed_ = failed_ || !Succeeded(result);
      PQclear(result);
      continue;
    }
    if (failed_) return Outcome::kFailed;
    if (++step_ < kSteps) {
      SendStep();
    } else {
      busy_ = false;
      return Outcome::kDone;
    }
  }
  return failed_ ? Outcome::kFailed : Outcome::kUnderWay;
}

void UserConnection::SendStep() {
  int sent;
  if (step_ == 1) {
    std::array<const char*, 8> values{};
    const size_t count = transaction_.values.size();
    for (size_t i = 0; i < count; ++i) values.at(i) = transaction_.values[i].c_str();
    sent = PQsendQueryParams(connection_.get(), transaction_.statement, static_cast<int>(count),
                             nullptr, values.data(), nullptr, nullptr, 0);
  } else {
    sent = PQsendQuery(connection_.get(), step_ == 0 ? "BEGIN" : "COMMIT");
  }
  const int flushed = sent == 1 ? PQflush(connection_.get()) : -1;
  failed_ = flushed < 0;
  wants_write_ = flushed != 0;
}

std::string UserConnection::error() const {
  const std::string text = PQerrorMessage(connection_.get());
  return text.substr(0, text.find('\n'));
}

}  // namespace pgweir::bench
