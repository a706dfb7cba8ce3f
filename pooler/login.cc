#include "pooler/login.h"

#include "pooler/channel.h"
#include "pooler/libpq_login.h"
#include "pooler/own_login.h"
#include "wire/byte_reader.h"
#include "wire/messages.h"

namespace pgweir::pooler {
namespace {

// What a query's answer has come to so far.
struct Answer {
  QueryRows rows;
  Status failure;
  bool complete = false;
};

Status TakeMessage(char type, wire::Bytes body, Answer& answer) {
  if (type == wire::backend::kReadyForQuery) {
    answer.complete = true;
  } else if (type == wire::backend::kErrorResponse) {
    const auto error = wire::ReadErrorFields(body);
    if (!error.ok()) return error.status();
    answer.failure = Error(error->sqlstate.size() == 5 ? error->sqlstate : sqlstate::kInternalError,
                           error->message);
  } else if (type == wire::backend::kDataRow) {
    auto row = wire::ReadDataRow(body);
    if (!row.ok()) return row.status();
    std::vector<std::string>& texts = answer.rows.emplace_back();
    for (auto& value : *row) texts.push_back(value.has_value() ? *std::move(value) : "");
  }
  return absl::OkStatus();
}

// Takes the whole messages off the front of `in`.
Status TakeMessages(std::string& in, Answer& answer) {
  size_t position = 0;
  while (in.size() - position >= wire::kHeaderSize) {
    wire::ByteReader header(wire::AsBytes(in).subspan(position + 1));
    const uint32_t length = *header.Int32();
    if (length < 4 || length > wire::kMaxMessageLength) {
      return Error(sqlstate::kProtocolViolation, "the server sent a message of no possible length");
    }
    if (in.size() - position < 1 + length) break;
    const auto body = wire::AsBytes(in).subspan(position + wire::kHeaderSize, length - 4);
    const Status taken = TakeMessage(in[position], body, answer);
    if (!taken.ok()) return taken;
    position += 1 + length;
  }
  in.erase(0, position);
  return absl::OkStatus();
}

net::Task<StatusOr<QueryRows>> Query(Channel& channel, std::string_view sql) {
  std::string request;
  wire::AppendQuery(request, sql);
  const Status sent = co_await channel.Write(std::move(request));
  if (!sent.ok()) co_return sent;
  Answer answer;
  std::string in;
  while (!answer.complete) {
    const Status got = co_await channel.Read(in, 65'536);
    if (!got.ok()) co_return answer.failure.ok() ? got : answer.failure;
    const Status taken = TakeMessages(in, answer);
    if (!taken.ok()) co_return taken;
  }
  if (!answer.failure.ok()) co_return answer.failure;
  co_return std::move(answer.rows);
}

}  // namespace

net::Task<StatusOr<ServerConnection>> LogIn(const Target& target, Readiness& readiness) {
  return target.hashed.has_value() ? LogInByHash(target, readiness)
                                   : LogInByLibpq(target, readiness);
}

StatusOr<ServerConnection> LogInAndWait(const Target& target, Duration timeout) {
  BlockingReadiness readiness(DeadlineAfter(timeout));
  return RunBlocking(LogIn(target, readiness));
}

net::Task<StatusOr<QueryRows>> RunQuery(const ServerConnection& connection, std::string_view sql,
                                        Readiness& readiness) {
  net::Stream stream(connection.fd, net::Socket::Ownership::kBorrows);
  if (connection.ssl != nullptr) stream.BorrowTls(connection.ssl);
  Channel channel(stream, readiness, kNoDeadline);
  co_return co_await Query(channel, sql);
}

StatusOr<QueryRows> QueryAndWait(const ServerConnection& connection, std::string_view sql,
                                 Duration timeout) {
  BlockingReadiness readiness(DeadlineAfter(timeout));
  return RunBlocking(RunQuery(connection, sql, readiness));
}

}  // namespace pgweir::pooler
