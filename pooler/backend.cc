#include "pooler/backend.h"

#include <tuple>

#include "base/log.h"
#include "net/address.h"
#include "net/tls.h"
#include "wire/messages.h"

namespace pgweir::pooler {
namespace {

BackendOrigin OriginOf(const ServerConnection& connection, const net::Stream& stream) {
  BackendOrigin origin;
  origin.process_id = connection.process_id;
  std::tie(origin.address, origin.port) = net::RemoteAddress(connection.fd);
  std::tie(origin.local_address, origin.local_port) = net::LocalAddress(connection.fd);
  if (stream.tls()) origin.tls = net::DescribeTls(stream.ssl());
  origin.opened_at = std::chrono::system_clock::now();
  return origin;
}

}  // namespace

Backend::Backend(BackendId id, ServerConnection connection)
    : opened_at(Clock::now()),
      idle_since(opened_at),
      id_(id),
      connection_(std::move(connection)),
      stream_(connection_.fd, net::Socket::Ownership::kBorrows) {
  parameters = connection_.parameters;
  if (connection_.ssl != nullptr) stream_.BorrowTls(connection_.ssl);
  origin_ = OriginOf(connection_, stream_);
}

void Backend::Report(std::string_view name, std::string_view value) {
  auto changed = std::make_shared<wire::Parameters>(*parameters);
  changed->Report(name, value);
  parameters = std::move(changed);
}

bool DrainUnasked(Backend& backend, std::span<std::byte> scratch) {
  while (backend.stream().readable()) {
    const size_t kept = backend.unscanned.size();
    std::copy_n(wire::AsBytes(backend.unscanned).data(), kept, scratch.data());
    const net::IoResult got = backend.stream().Read(scratch.subspan(kept));
    if (got.state == net::IoState::kBlocked) return true;
    if (got.state != net::IoState::kOk) return false;
    const wire::Bytes in = scratch.first(kept + got.bytes);
    size_t position = 0;
    wire::Frame frame;
    wire::FrameScanner::Step step;
    while ((step = backend.scanner.Next(in, position, frame)) == wire::FrameScanner::Step::kFrame) {
      if (frame.type == wire::backend::kParameterStatus) {
        const auto status = wire::ReadParameterStatus(frame.head);
        if (!status.ok()) return false;
        backend.Report(status->name, status->value);
      } else if (frame.type == wire::backend::kErrorResponse) {
        const auto error = wire::ReadErrorFields(frame.head);
        LogInfo("idle backend was ended by its server backend={} sqlstate={} message=\"{}\"",
                backend.id().value, error.ok() ? error->sqlstate : "",
                error.ok() ? error->message : "");
        return false;
      } else if (frame.type != wire::backend::kNoticeResponse &&
                 frame.type != wire::backend::kNotificationResponse) {
        LogError("idle backend sent a message nobody asked for backend={} type='{}'",
                 backend.id().value, frame.type);
        return false;
      }
    }
    if (step != wire::FrameScanner::Step::kMore) return false;
    backend.unscanned.assign(wire::AsText(in.subspan(position)));
  }
  return !backend.stream().socket().hung_up();
}

}  // namespace pgweir::pooler
