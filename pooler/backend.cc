#include "pooler/backend.h"

#include <tuple>

#include "base/log.h"
#include "net/address.h"
#include "net/tls.h"
#include "wire/messages.h"

namespace pgweir::pooler {
namespace {

// libpq gives parameters by name only, so every known name is asked for.
wire::ParametersRef ReadParameters(PGconn* connection) {
  auto parameters = std::make_shared<wire::Parameters>();
  for (const std::string_view name : wire::ReportedNames()) {
    const char* value = PQparameterStatus(connection, std::string(name).c_str());
    if (value != nullptr) parameters->Report(name, value);
  }
  return parameters;
}

BackendOrigin OriginOf(const PGconn* connection, const net::Stream& stream) {
  const auto text = [](const char* value) { return std::string(value == nullptr ? "" : value); };
  BackendOrigin origin;
  origin.process_id = PQbackendPID(connection);
  const std::string host = text(PQhost(connection));
  origin.address = text(PQhostaddr(connection));
  if (host.starts_with('/')) origin.address = "unix";
  if (origin.address.empty()) origin.address = host;
  origin.port = text(PQport(connection));
  std::tie(origin.local_address, origin.local_port) = net::LocalAddress(stream.socket().fd());
  if (stream.tls()) origin.tls = net::DescribeTls(stream.ssl());
  origin.opened_at = std::chrono::system_clock::now();
  return origin;
}

}  // namespace

Backend::Backend(BackendId id, PgConnPtr connection)
    : opened_at(Clock::now()),
      idle_since(opened_at),
      id_(id),
      connection_(std::move(connection)),
      cancel_(PQgetCancel(connection_.get()), PQfreeCancel),
      stream_(PQsocket(connection_.get()), net::Socket::Ownership::kBorrows) {
  PQsetnonblocking(connection_.get(), 1);
  PQisBusy(connection_.get());  // lets libpq parse what it has read already
  parameters = ReadParameters(connection_.get());
  if (void* ssl = PQsslStruct(connection_.get(), "OpenSSL"); ssl != nullptr) {
    stream_.BorrowTls(static_cast<SSL*>(ssl));
  }
  origin_ = OriginOf(connection_.get(), stream_);
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
        auto changed = std::make_shared<wire::Parameters>(*backend.parameters);
        changed->Report(status->name, status->value);
        backend.parameters = std::move(changed);
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
