#include "proxy/auth_query.h"

#include "net/output.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

// Far more than names and secrets take.
constexpr size_t kMaxAnswer = 64 * 1024;

std::string RequestOf(const std::string& sql, const std::string& user) {
  constexpr std::string_view kNone("\0\0", 2);
  std::string request;
  wire::AppendParse(request, "", sql, kNone);
  std::string parameter(kNone);  // formats
  parameter.append("\0\1", 2);
  for (int shift = 24; shift >= 0; shift -= 8) parameter += static_cast<char>(user.size() >> shift);
  parameter.append(user).append(kNone);
  wire::AppendBindHead(request, "", "", static_cast<uint32_t>(parameter.size()));
  request += parameter;
  wire::AppendExecute(request, "");
  wire::AppendSync(request);
  return request;
}

// What the server answers, message by message.
class Answer {
 public:
  // False when it is no answer to such a request.
  bool Add(wire::Bytes bytes) {
    pending_ += wire::AsText(bytes);
    while (!done_ && pending_.size() >= wire::kHeaderSize) {
      uint32_t length = 0;
      for (size_t i = 1; i < wire::kHeaderSize; ++i) {
        length = length << 8 | static_cast<unsigned char>(pending_[i]);
      }
      if (length < 4 || length > kMaxAnswer) return false;
      if (pending_.size() < 1 + length) return true;
      const wire::Bytes body = wire::AsBytes(pending_).subspan(wire::kHeaderSize, length - 4);
      if (!Take(pending_[0], body)) return false;
      pending_.erase(0, 1 + length);
    }
    return !done_ || pending_.empty();
  }
  bool done() const { return done_; }
  bool idle() const { return idle_; }
  StatusOr<std::optional<AuthRow>> outcome() const {
    if (!error_.ok()) return error_;
    return row_;
  }

 private:
  bool Take(char type, wire::Bytes body) {
    if (type == wire::backend::kErrorResponse) {
      const auto fields = wire::ReadErrorFields(body);
      if (!fields.ok()) return false;
      error_ = Error(fields->sqlstate.size() == 5 ? fields->sqlstate : sqlstate::kInternalError,
                     fields->message);
    } else if (type == wire::backend::kDataRow && !row_.has_value()) {
      auto row = wire::ReadDataRow(body);
      if (!row.ok()) return false;
      row_ = *std::move(row);
    } else if (type == wire::backend::kReadyForQuery) {
      const auto status = wire::ReadReadyForQuery(body);
      if (!status.ok()) return false;
      done_ = true;
      idle_ = *status == wire::TransactionStatus::kIdle;
    }
    return true;
  }

  std::string pending_;
  std::optional<AuthRow> row_;
  Status error_;
  bool done_ = false;
  bool idle_ = false;
};

Status Lost() {
  return Error(sqlstate::kConnectionFailure, "the server connection was lost while it was in use");
}

net::Task<StatusOr<pooler::Lease>> Acquire(pooler::Pool& pool, net::Event& event) {
  pooler::Lease lease = pool.TryAcquire(event);
  if (lease) co_return StatusOr<pooler::Lease>(std::move(lease));
  pooler::Pool::Waiting waiting(pool, event);
  while (true) {
    StatusOr<pooler::Lease> outcome = waiting.Poll();
    if (!outcome.ok() || *outcome) co_return outcome;
    if (event.expired()) co_return waiting.TimedOut();
    co_await event.Wait();
  }
}

net::Task<StatusOr<std::optional<AuthRow>>> Ask(pooler::Lease lease, net::Event& event,
                                                std::string request) {
  net::Stream& stream = lease->stream();
  net::Output output;
  if (output.Send(stream, request) == net::IoState::kFailed) co_return Lost();
  Answer answer;
  while (!answer.done()) {
    if (!output.empty() && output.Flush(stream) == net::IoState::kFailed) co_return Lost();
    if (stream.readable()) {
      const auto scratch = event.worker().scratch();
      const net::IoResult got = stream.Read(scratch);
      if (got.state == net::IoState::kOk) {
        if (answer.Add(scratch.first(got.bytes))) continue;
        co_return Error(sqlstate::kProtocolViolation, "unexpected answer of the server");
      }
      if (got.state != net::IoState::kBlocked) co_return Lost();
    }
    if (event.expired()) {
      co_return Error(sqlstate::kQueryCanceled, "the server did not answer in time");
    }
    co_await event.Wait();
  }
  if (answer.idle()) lease.Return();
  co_return answer.outcome();
}

}  // namespace

net::Task<StatusOr<std::optional<AuthRow>>> RunAuthQuery(std::shared_ptr<pooler::Pool> pool,
                                                         net::Event& event, std::string sql,
                                                         std::string user) {
  const std::string request = RequestOf(sql, user);
  StatusOr<std::optional<AuthRow>> outcome = Lost();
  // An idle connection may have died unnoticed; asking twice does no harm.
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto lease = co_await Acquire(*pool, event);
    if (!lease.ok()) co_return lease.status();
    outcome = co_await Ask(*std::move(lease), event, request);
    if (SqlStateOf(outcome.status()) != sqlstate::kConnectionFailure) break;
  }
  co_return outcome;
}

}  // namespace pgweir::proxy
