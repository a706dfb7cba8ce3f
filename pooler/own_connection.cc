#include "pooler/own_connection.h"

#include "pooler/cancel_request.h"
#include "wire/messages.h"

namespace pgweir::pooler {
namespace {

constexpr std::chrono::seconds kCancelTime{5};

class StreamOwner final : public ServerConnection::Owner {
 public:
  explicit StreamOwner(std::unique_ptr<net::Stream> stream) : stream_(std::move(stream)) {}
  // Says Terminate as far as that goes without waiting.
  ~StreamOwner() override {
    std::string goodbye;
    wire::AppendTerminate(goodbye);
    stream_->Write(wire::AsBytes(goodbye));
    stream_->Shutdown();
  }

 private:
  const std::unique_ptr<net::Stream> stream_;
};

class OwnCancel final : public ServerCancel {
 public:
  OwnCancel(std::shared_ptr<const ConnectionSettings> settings, const Server& server, bool tls,
            uint32_t process_id, std::string_view key)
      : settings_(std::move(settings)), host_(server.host), address_(server.address), tls_(tls) {
    wire::AppendCancelRequest(request_, process_id, key);
  }

  Status Send() const override { return RunBlocking(Run()); }

 private:
  net::Task<Status> Run() const {
    const TimePoint until = Clock::now() + kCancelTime;
    BlockingReadiness readiness(until);
    const Server server{host_, address_};
    co_return co_await SendCancelRequest(server, *settings_,
                                         tls_ ? Encryption::kAlways : Encryption::kNever, request_,
                                         readiness, until);
  }

  const std::shared_ptr<const ConnectionSettings> settings_;
  const ServerHost host_;
  const ServerAddress address_;
  const bool tls_;
  std::string request_;
};

}  // namespace

ServerConnection OwnConnection(std::unique_ptr<net::Stream> stream,
                               std::shared_ptr<const ConnectionSettings> settings,
                               const Server& server, const wire::ServerLogin& login) {
  ServerConnection connection;
  connection.fd = stream->socket().fd();
  connection.ssl = stream->ssl();
  connection.process_id = static_cast<int>(login.process_id());
  connection.parameters = std::make_shared<wire::Parameters>(login.parameters());
  if (!login.cancel_key().empty()) {
    connection.cancel = std::make_shared<OwnCancel>(std::move(settings), server, stream->tls(),
                                                    login.process_id(), login.cancel_key());
  }
  connection.owner = std::make_unique<StreamOwner>(std::move(stream));
  return connection;
}

}  // namespace pgweir::pooler
