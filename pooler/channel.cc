#include "pooler/channel.h"

#include <cerrno>
#include <cstring>

#include "net/tls_client.h"
#include "wire/protocol.h"

namespace pgweir::pooler {
namespace {

Status Lost() {
  return Error(sqlstate::kCannotConnect, "the server closed the connection unexpectedly");
}

}  // namespace

Status TimedOut() { return Error(sqlstate::kCannotConnect, "timeout expired"); }

// TLS may have to write before it can read, and the other way round.
Readiness::Way Channel::WayOf(Readiness::Way plain) const {
  if (!stream_.tls()) return plain;
  return SSL_want_write(stream_.ssl()) ? Readiness::Way::kWriting : Readiness::Way::kReading;
}

net::Task<Status> Channel::Wait(Readiness::Way way) {
  const bool ready = co_await readiness_.Await(stream_.socket().fd(), WayOf(way), until_);
  co_return ready ? absl::OkStatus() : TimedOut();
}

net::Task<Status> Channel::Write(std::string bytes) {
  std::span<const std::byte> left = wire::AsBytes(bytes);
  while (!left.empty()) {
    const net::IoResult put = stream_.Write(left);
    if (put.state == net::IoState::kOk) {
      left = left.subspan(put.bytes);
      continue;
    }
    if (put.state != net::IoState::kBlocked) co_return Lost();
    const Status waited = co_await Wait(Readiness::Way::kWriting);
    if (!waited.ok()) co_return waited;
  }
  co_return absl::OkStatus();
}

net::Task<Status> Channel::Read(std::string& in, size_t limit) {
  const size_t before = in.size();
  while (true) {
    in.resize(before + limit);
    const std::span<char> room(in.data() + before, limit);
    const net::IoResult got = stream_.Read(std::as_writable_bytes(room));
    in.resize(before + (got.state == net::IoState::kOk ? got.bytes : 0));
    if (got.state == net::IoState::kOk) co_return absl::OkStatus();
    if (got.state != net::IoState::kBlocked) co_return Lost();
    const Status waited = co_await Wait(Readiness::Way::kReading);
    if (!waited.ok()) co_return waited;
  }
}

net::Task<Status> Channel::ReadToEnd() {
  std::string ignored;
  Status status;
  while (status.ok()) {
    status = co_await Read(ignored);
    ignored.clear();
  }
  const bool in_time = !readiness_.over() && Clock::now() < until_;
  co_return in_time ? absl::OkStatus() : TimedOut();
}

net::Task<Status> Channel::ConnectTls() {
  while (true) {
    const net::IoResult step = stream_.Connect();
    if (step.state == net::IoState::kOk) co_return absl::OkStatus();
    if (step.state != net::IoState::kBlocked) {
      co_return Errorf(sqlstate::kCannotConnect, "SSL error: {}", net::TlsFailure(stream_.ssl()));
    }
    const Status waited = co_await Wait(Readiness::Way::kReading);
    if (!waited.ok()) co_return waited;
  }
}

}  // namespace pgweir::pooler
