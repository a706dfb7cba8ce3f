#include "pooler/cancel_request.h"

#include "pooler/channel.h"

namespace pgweir::pooler {
namespace {

constexpr std::chrono::seconds kTime{5};

class CancelAt final : public ServerCancel {
 public:
  CancelAt(std::string host, int port, std::string request) : request_(std::move(request)) {
    host_.unix_socket = host.starts_with('/');
    host_.name = std::move(host);
    host_.port = std::to_string(port);
  }

  Status Send() const override {
    const auto addresses = Resolve(host_);
    if (!addresses.ok()) return addresses.status();
    Status outcome = Error(sqlstate::kCannotConnect, "no address");
    for (const ServerAddress& address : *addresses) {
      const TimePoint until = Clock::now() + kTime;
      BlockingReadiness readiness(until);
      outcome = RunBlocking(SendCancelRequest({host_, address}, settings_, Encryption::kNever,
                                              request_, readiness, until));
      if (outcome.ok()) break;
    }
    return outcome;
  }

 private:
  const ConnectionSettings settings_;
  ServerHost host_;
  const std::string request_;
};

}  // namespace

net::Task<Status> SendCancelRequest(const Server& server, const ConnectionSettings& settings,
                                    Encryption encryption, const std::string& request,
                                    Readiness& readiness, TimePoint until) {
  bool handshake = false;
  const auto stream =
      co_await OpenStream(server, settings, encryption, readiness, until, handshake);
  if (!stream.ok()) co_return stream.status();
  Channel channel(**stream, readiness, until);
  const Status sent = co_await channel.Write(request);
  if (!sent.ok()) co_return sent;
  co_return co_await channel.ReadToEnd();
}

std::shared_ptr<const ServerCancel> MakeCancel(std::string host, int port, std::string request) {
  return std::make_shared<CancelAt>(std::move(host), port, std::move(request));
}

}  // namespace pgweir::pooler
