#include "proxy/console/inner_client.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "wire/messages.h"
#include "wire/result_messages.h"

namespace pgweir::proxy {
namespace {

// The descriptor of its end; the other one gets a session.
int Connect(SessionHost& host) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw std::system_error(errno, std::generic_category(), "socketpair");
  }
  host.Serve(ends[1], Peer{.address = "pgweir", .unix_socket = true, .ours = true});
  return ends[0];
}

}  // namespace

// Of all that a session says, logins too, only errors are read.
uint32_t InnerClient::Head(char type, uint32_t body_length) {
  return type == wire::backend::kErrorResponse ? std::min(body_length, wire::kMaxHead) : 0;
}

InnerClient::InnerClient(SessionHost& host, net::Event& event, const std::string& user,
                         const std::string& database)
    : worker_(host.worker()), stream_(Connect(host), net::Socket::Ownership::kOwns) {
  stream_.socket().Attach(worker_, &event);
  std::string startup;
  wire::AppendStartupMessage(startup, {{"user", user}, {"database", database}});
  Send(startup);
}

void InnerClient::Send(std::string_view request) {
  answered_ = false;
  if (output_.Send(stream_, request) == net::IoState::kFailed) over_ = true;
}

bool InnerClient::Pump() {
  while (!over_ && !answered_) {
    if (!output_.empty() && output_.Flush(stream_) == net::IoState::kFailed) over_ = true;
    if (!stream_.readable()) break;
    const std::span<std::byte> scratch = worker_.scratch();
    const net::IoResult got = stream_.Read(scratch);
    if (got.state == net::IoState::kBlocked) break;
    if (got.state == net::IoState::kOk) {
      Take(scratch.first(got.bytes));
    } else {
      over_ = true;
    }
  }
  return over_ || answered_;
}

void InnerClient::Take(wire::Bytes bytes) {
  unscanned_.append(wire::AsText(bytes));
  const wire::Bytes in = wire::AsBytes(unscanned_);
  size_t position = 0;
  wire::Frame frame;
  while (scanner_.Next(in, position, frame) == wire::FrameScanner::Step::kFrame) OnMessage(frame);
  unscanned_.erase(0, position);
}

void InnerClient::OnMessage(const wire::Frame& frame) {
  if (frame.type == wire::backend::kReadyForQuery) answered_ = true;
  if (frame.type != wire::backend::kErrorResponse || !error_.ok()) return;
  const auto error = wire::ReadErrorFields(frame.head);
  error_ = error.ok() ? Error(error->sqlstate, error->message) : error.status();
}

}  // namespace pgweir::proxy
