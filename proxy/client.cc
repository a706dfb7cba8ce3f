#include "proxy/client.h"

namespace pgweir::proxy {

Client::Client(net::Worker& worker, int fd, Peer from)
    : peer(std::move(from)), event(worker), stream(fd, net::Socket::Ownership::kOwns) {
  stream.socket().Attach(worker, &event);
}

bool Client::Send(wire::Bytes bytes) {
  counters->Add(Stat::kSent, bytes.size());
  return output.Send(stream, bytes) != net::IoState::kFailed;
}

bool Client::Send(std::span<const std::string_view> pieces) {
  for (const std::string_view piece : pieces) counters->Add(Stat::kSent, piece.size());
  return output.Send(stream, pieces) != net::IoState::kFailed;
}

bool Client::Send(std::string_view bytes) { return Send(wire::AsBytes(bytes)); }

net::Task<bool> Client::ReadMore() {
  while (input.size() < kMaxInput) {
    if (stream.readable()) {
      const auto scratch = event.worker().scratch().first(kMaxInput - input.size());
      const net::IoResult got = stream.Read(scratch);
      if (got.state == net::IoState::kOk) {
        counters->Add(Stat::kReceived, got.bytes);
        input.append(wire::AsText(scratch.first(got.bytes)));
        co_return true;
      }
      if (got.state != net::IoState::kBlocked) co_return false;
    }
    if (event.expired()) co_return false;
    co_await event.Wait();
  }
  co_return false;
}

net::Task<bool> Client::Flush() {
  while (true) {
    const net::IoState state = output.Flush(stream);
    if (state == net::IoState::kOk) co_return true;
    if (state == net::IoState::kFailed || event.expired()) co_return false;
    co_await event.Wait();
  }
}

}  // namespace pgweir::proxy
