#include "proxy/backend_command.h"

#include <algorithm>

#include "wire/messages.h"

namespace pgweir::proxy {

namespace backend = wire::backend;

BackendCommand::BackendCommand(pooler::Lease& lease, net::Worker& worker, std::string_view sql,
                               std::vector<std::string>* rows)
    : lease_(lease), worker_(worker), rows_(rows) {
  if (rows_ != nullptr) lease_->scanner.WantRows(true);
  std::string message;
  wire::AppendQuery(message, sql);
  lease_->tracker.OnRequest(wire::Request::kQuery);
  lease_->unnamed = pooler::Backend::kNoStatement;
  // That the connection is broken is seen when its answer is read.
  static_cast<void>(output_.Send(lease_->stream(), wire::AsBytes(message)));
}

BackendCommand::BackendCommand(pooler::Lease& lease, net::Worker& worker, wire::Bytes request,
                               AnswerCapture& capture)
    : lease_(lease), worker_(worker), capture_(&capture) {
  Announce(request);
  lease_->unnamed = pooler::Backend::kUnknownStatement;
  static_cast<void>(output_.Send(lease_->stream(), request));
}

void BackendCommand::Announce(wire::Bytes request) {
  wire::FrameScanner scanner(wire::ClientHead);
  size_t position = 0;
  wire::Frame frame;
  while (scanner.Next(request, position, frame) == wire::FrameScanner::Step::kFrame) {
    if (const auto asked = wire::RequestOf(frame); asked.has_value()) {
      lease_->tracker.OnRequest(*asked);
    }
  }
}

BackendCommand::~BackendCommand() {
  if (rows_ != nullptr && lease_) lease_->scanner.WantRows(false);
}

BackendCommand::State BackendCommand::Pump() {
  if (!output_.empty() && output_.Flush(lease_->stream()) == net::IoState::kFailed) {
    return State::kLost;
  }
  net::Stream& stream = lease_->stream();
  while (lease_->tracker.outstanding()) {
    if (!stream.readable()) return State::kWait;
    const std::span<std::byte> scratch = worker_.scratch();
    const size_t kept = lease_->unscanned.size();
    std::copy_n(wire::AsBytes(lease_->unscanned).data(), kept, scratch.data());
    const net::IoResult got = stream.Read(scratch.subspan(kept));
    if (got.state == net::IoState::kBlocked) return State::kWait;
    if (got.state != net::IoState::kOk || !Take(scratch.first(kept + got.bytes))) {
      return State::kLost;
    }
  }
  return State::kDone;
}

bool BackendCommand::Take(wire::Bytes in) {
  size_t position = 0;
  wire::Frame frame;
  wire::FrameScanner::Step step;
  while ((step = lease_->scanner.Next(in, position, frame)) == wire::FrameScanner::Step::kFrame) {
    const auto status = frame.type == backend::kReadyForQuery
                            ? wire::ReadReadyForQuery(frame.head)
                            : StatusOr<wire::TransactionStatus>(wire::TransactionStatus::kIdle);
    if (!status.ok()) return false;
    OnMessage(frame);
    lease_->tracker.OnReply(frame.type, *status);
  }
  if (capture_ != nullptr) capture_->Take(in.first(position));
  lease_->unscanned.assign(wire::AsText(in.subspan(position)));
  return step == wire::FrameScanner::Step::kMore && !lease_->tracker.desynchronised();
}

void BackendCommand::OnMessage(const wire::Frame& frame) {
  if (frame.type == backend::kErrorResponse) {
    const auto error = wire::ReadErrorFields(frame.head);
    if (error.ok() && error_.ok()) {
      error_ = WithHint(Error(error->sqlstate, error->message), error->hint);
    }
  } else if (frame.type == backend::kCommandComplete) {
    tag_ = wire::ReadCommandTag(frame.head).value_or("");
  } else if (frame.type == backend::kDataRow && rows_ != nullptr) {
    const auto row = wire::ReadDataRow(frame.head);
    if (row.ok() && !row->empty()) rows_->push_back(row->front().value_or(""));
  } else if (frame.type == backend::kParameterStatus) {
    const auto status = wire::ReadParameterStatus(frame.head);
    if (status.ok()) lease_->Report(status->name, status->value);
  }
}

}  // namespace pgweir::proxy
