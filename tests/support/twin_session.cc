#include "tests/support/twin_session.h"

#include <stdexcept>
#include <thread>

namespace pgweir::test {
namespace {

constexpr int kAnswerMs = 5'000;

// Without the server's file, line and routine.
std::string WithoutSource(const Message& message) {
  std::string body;
  for (size_t at = 0; at < message.body.size() && message.body[at] != 0;) {
    size_t size = 2 + std::string_view(message.body.c_str() + at + 1).size();
    char field = message.body[at];
    if (field != 'F' && field != 'L' && field != 'R') body += message.body.substr(at, size);
    at += size;
  }
  return body;
}

// With 1 for each table's OID: those of temporary tables depend on what was created before.
std::string WithoutTables(std::string body) {
  size_t at = 2;
  while (at < body.size()) {
    at = body.find('\0', at) + 1;
    if (body.substr(at, 4) != fe::Int32(0)) body.replace(at, 4, fe::Int32(1));
    at += 18;
  }
  return body;
}

}  // namespace

void TwinSession::Start(const TwinStep& step) {
  broken_.clear();
  try {
    if (step.action == TwinAction::kConnect) return Connect(step);
    if (client_ == nullptr) {
      broken_ = "not connected";
      return;
    }
    std::string bytes;
    for (const std::string& message : step.messages) bytes += message;
    if (!bytes.empty()) client_->Send(bytes);
  } catch (const std::runtime_error& error) {
    broken_ = error.what();
  }
}

void TwinSession::Connect(const TwinStep& step) {
  End();
  parameters_.clear();
  client_ = std::make_unique<RawClient>(port_);
  client_->set_timeout_ms(kAnswerMs);
  client_->Send(fe::Startup(step.startup));
}

TwinAnswer TwinSession::Finish(const TwinStep& step) {
  TwinAnswer answer;
  if (client_ != nullptr && broken_.empty()) {
    switch (step.action) {
      case TwinAction::kCancel:
        CancelUntilAnswered();
        [[fallthrough]];
      case TwinAction::kConnect:
      case TwinAction::kSend:
        ReadAnswer(step, answer);
        break;
      case TwinAction::kTerminate:
        End();
        break;
      case TwinAction::kHalfClose:
        client_->HalfClose();
        client_->ClosedByPeer();
        client_.reset();
        break;
      case TwinAction::kReset:
        client_->Reset();
        client_.reset();
        break;
    }
  }
  answer.end = broken_;
  answer.parameters = parameters_;
  if (!broken_.empty()) client_.reset();
  return answer;
}

void TwinSession::End() {
  if (client_ == nullptr) return;
  try {
    client_->Send(fe::Terminate());
    client_->ClosedByPeer();
  } catch (const std::runtime_error&) {
    // It has gone already.
  }
  client_.reset();
}

void TwinSession::CancelUntilAnswered() {
  // A request that comes before the statement has begun is lost, by the protocol.
  for (int i = 0; i < 8 && client_->Silent(i == 0 ? 30 : 300); ++i) {
    RawClient messenger(port_);
    messenger.Send(fe::CancelRequest(key_));
    messenger.ClosedByPeer();
  }
}

void TwinSession::ReadAnswer(const TwinStep& step, TwinAnswer& answer) {
  int left = step.action == TwinAction::kConnect ? 1 : AnswersOf(step);
  bool closed = false;
  try {
    while (left > 0) {
      Message message = client_->Read();
      char type = message.type;
      Keep(std::move(message), answer);
      if (type == 'Z' && (!step.until_close || closed)) --left;
      if (type == 'Z' && step.until_close && closed) return;
      if (type != 'S') closed = type == '3';
    }
  } catch (const std::runtime_error& error) {
    broken_ = error.what();
  }
}

void TwinSession::Keep(Message message, TwinAnswer& answer) {
  switch (message.type) {
    case 'S': {
      std::string name = message.body.c_str();
      parameters_[name] = message.body.c_str() + name.size() + 1;
      return;
    }
    case 'K':
      key_ = message.body;
      return;
    case 'A':
      message.body.replace(0, 4, fe::Int32(0));
      break;
    case 'E':
    case 'N':
      message.body = WithoutSource(message);
      break;
    case 'T':
      message.body = WithoutTables(std::move(message.body));
      break;
    default:
      break;
  }
  answer.messages.push_back(std::move(message));
}

}  // namespace pgweir::test
