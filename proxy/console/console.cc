#include "proxy/console/console.h"

#include "proxy/console/tables.h"
#include "proxy/error_response.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

namespace frontend = wire::frontend;

}  // namespace

Console::Console(SessionId id, SessionHost& host, Client& client, std::string user, Rights rights)
    : id_(id), host_(host), client_(client), user_(std::move(user)), rights_(rights) {
  host_.shared().consoles.fetch_add(1, std::memory_order_relaxed);
  client_.counters =
      &host_.shared().statistics.Of(std::string(config::kConsoleAlias), host_.worker().index());
}

Console::~Console() { host_.shared().consoles.fetch_sub(1, std::memory_order_relaxed); }

wire::ParametersRef Console::Welcome() {
  auto parameters = std::make_shared<wire::Parameters>();
  parameters->Report("server_version", fmt::format("{}/bouncer", kPgBouncerVersion));
  parameters->Report("client_encoding", "UTF8");
  parameters->Report("server_encoding", "UTF8");
  parameters->Report("DateStyle", "ISO");
  parameters->Report("TimeZone", "GMT");
  parameters->Report("standard_conforming_strings", "on");
  parameters->Report("is_superuser", "on");
  return parameters;
}

net::Task<void> Console::Serve() {
  while (!ends_) {
    auto message = co_await ReadMessage();
    if (!message.has_value()) break;
    auto& [type, body] = *message;
    const bool goes_on = co_await Handle(type, std::move(body));
    if (!goes_on) break;
  }
  // Nobody would end it.
  uint64_t own = id_.value;
  if (host_.shared().suspended_by.compare_exchange_strong(own, 0)) {
    for (const auto& host : host_.shared().hosts) host->Suspend(false);
  }
}

void Console::Cancel() {
  cancelled_ = true;
  client_.event.Set();
}

void Console::End() {
  ends_ = true;
  client_.event.SetDeadline(Clock::now());
  client_.event.Set();
}

// None at the end of the stream, or when the length can't be that of a message for the console.
net::Task<std::optional<std::pair<char, std::string>>> Console::ReadMessage() {
  std::string& in = client_.input;
  while (in.size() < wire::kHeaderSize) {
    if (!co_await client_.ReadMore()) co_return std::nullopt;
  }
  const auto byte = [&in](size_t i) {
    return static_cast<uint32_t>(static_cast<unsigned char>(in[i]));
  };
  const uint32_t length = byte(1) << 24 | byte(2) << 16 | byte(3) << 8 | byte(4);
  if (length < 4 || length >= Client::kMaxInput) {
    AppendError(out_, Severity::kFatal,
                Error(sqlstate::kProtocolViolation, "invalid message length"));
    co_await SendOut();
    co_return std::nullopt;
  }
  while (in.size() < 1 + length) {
    if (!co_await client_.ReadMore()) co_return std::nullopt;
  }
  std::pair<char, std::string> message(in[0], in.substr(wire::kHeaderSize, length - 4));
  in.erase(0, 1 + length);
  co_return message;
}

// False when the session is over.
net::Task<bool> Console::Handle(char type, std::string body) {
  switch (type) {
    case frontend::kTerminate:
      co_return false;
    case frontend::kSync:
      skipping_to_sync_ = false;
      portals_.clear();
      AppendReady();
      co_return co_await SendOut();
    case frontend::kFlush:
      co_return co_await SendOut();
    case frontend::kQuery:
      break;
    default:
      co_return co_await HandleExtended(type, std::move(body));
  }
  if (skipping_to_sync_) co_return true;
  const auto text = wire::ReadQuery(wire::AsBytes(body));
  if (text.ok()) {
    co_await OnQuery(std::string(*text));
  } else {
    AppendError(out_, Severity::kError, text.status());
  }
  portals_.clear();
  AppendReady();
  co_return co_await SendOut();
}

net::Task<bool> Console::SendOut() {
  if (!client_.Send(out_)) co_return false;
  out_.clear();
  co_return co_await client_.Flush();
}

// As on a server, an error ends the whole text.
net::Task<void> Console::OnQuery(std::string text) {
  const std::vector<std::string> statements = SplitStatements(text);
  if (statements.empty()) wire::AppendEmptyQueryResponse(out_);
  for (const std::string& statement : statements) {
    const auto result = co_await Run(statement);
    if (!result.ok()) {
      AppendError(out_, Severity::kError, result.status());
      co_return;
    }
    AppendNotice(*result);
    if (!result->columns.empty()) {
      wire::AppendRowDescription(out_, result->columns, {});
      for (const Row& row : result->rows) {
        wire::AppendDataRow(out_, result->columns, row.values(), {});
      }
    }
    wire::AppendCommandComplete(out_, result->tag);
    if (!co_await SendOut()) co_return;
  }
}

void Console::AppendNotice(const Result& result) {
  if (result.notice.empty()) return;
  wire::AppendNoticeResponse(out_, {.severity = "NOTICE",
                                    .sqlstate = sqlstate::kSuccessfulCompletion,
                                    .message = result.notice,
                                    .detail = result.detail});
}

void Console::AppendReady() {
  client_.counters->Add(Stat::kQueries);
  if (!in_transaction_) client_.counters->Add(Stat::kXacts);
  wire::AppendReadyForQuery(out_, in_transaction_ ? wire::TransactionStatus::kInTransaction
                                                  : wire::TransactionStatus::kIdle);
}

}  // namespace pgweir::proxy
