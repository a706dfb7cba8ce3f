#include "proxy/http_server.h"

#include <sys/socket.h>

#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <utility>

#include "base/ip_address.h"
#include "base/log.h"

namespace pgweir::proxy {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using tcp = boost::asio::ip::tcp;

// A client that is slower, or silent for as long, is left.
constexpr std::chrono::seconds kPatience{30};
constexpr const char* kPlain = "text/plain; charset=utf-8";

std::string_view ToStd(beast::string_view text) { return {text.data(), text.size()}; }

constexpr std::chrono::milliseconds kBetweenFailures{100};

}  // namespace

struct HttpServer::State {
  Answer answer;
  int connections = 0;
};

// One client's connection, which keeps itself until it is over.
class HttpServer::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, std::shared_ptr<State> state)
      : stream_(std::move(socket)), state_(std::move(state)) {
    ++state_->connections;
  }
  ~Connection() { --state_->connections; }

  void Read() {
    parser_.emplace();
    parser_->header_limit(kMaxHeader);
    parser_->body_limit(0);
    stream_.expires_after(kPatience);
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](beast::error_code error, size_t) { self->OnRequest(error); });
  }

 private:
  void OnRequest(beast::error_code error) {
    const auto& request = parser_->get();
    const bool get = request.method() == http::verb::get || request.method() == http::verb::head;
    if (!error && get) {
      const std::string_view target = ToStd(request.target());
      Write(state_->answer(target.substr(0, target.find('?'))), request.keep_alive());
    } else if (!error || error == http::error::body_limit) {
      Write({405, kPlain, "only GET is answered here\n"}, false);
    } else if (error.category() == http::make_error_code(http::error::bad_version).category() &&
               error != http::error::end_of_stream) {
      Write({400, kPlain, "that is no request\n"}, false);
    } else {
      Close();
    }
  }

  void Write(HttpAnswer answer, bool keep_alive) {
    const auto& request = parser_->get();
    const bool head = request.method() == http::verb::head;
    response_ = {};
    response_.version(11);
    response_.keep_alive(keep_alive);
    response_.result(answer.status);
    response_.set(http::field::server, "pgweir");
    response_.set(http::field::cache_control, "no-store");
    response_.set(http::field::content_type, answer.type);
    response_.set("X-Content-Type-Options", "nosniff");
    response_.set(http::field::x_frame_options, "DENY");
    if (answer.status == 405) response_.set(http::field::allow, "GET, HEAD");
    response_.content_length(answer.body.size());
    if (!head) response_.body() = std::move(answer.body);
    serializer_.emplace(response_);
    stream_.expires_after(kPatience);
    http::async_write(stream_, *serializer_,
                      [self = shared_from_this()](beast::error_code error, size_t) {
                        const bool goes_on = !error && self->response_.keep_alive();
                        goes_on ? self->Read() : self->Close();
                      });
  }

  void Close() {
    beast::error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  beast::tcp_stream stream_;
  std::shared_ptr<State> state_;
  beast::flat_buffer buffer_{2 * kMaxHeader};
  std::optional<http::request_parser<http::empty_body>> parser_;
  http::response<http::string_body> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
};

HttpServer::HttpServer(boost::asio::io_context& io, Answer answer)
    : io_(io), acceptor_(io), pause_(io), state_(std::make_shared<State>(std::move(answer))) {}

HttpServer::~HttpServer() = default;

Status HttpServer::Open(const std::string& address, bool shared) {
  const auto fail = [&](std::string_view what) {
    return Errorf(sqlstate::kConfigFileError, "admin.http: can't listen on {}: {}", address, what);
  };
  const auto where = IpAddress::ParseWithPort(address);
  if (!where.has_value()) return fail("it must be an address and a port");
  beast::error_code error;
  const tcp::endpoint endpoint(boost::asio::ip::make_address(where->first.ToString(), error),
                               where->second);
  if (!error) acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(boost::asio::socket_base::reuse_address(true), error);
  if (!error && shared) {
    const int on = 1;
    setsockopt(acceptor_.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  }
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(boost::asio::socket_base::max_listen_connections, error);
  if (error) return fail(error.message());
  LogInfo("answering HTTP on {}", address);
  Accept();
  return absl::OkStatus();
}

void HttpServer::Accept() {
  acceptor_.async_accept(io_, [this](beast::error_code error, tcp::socket socket) {
    if (error == boost::asio::error::operation_aborted) return;
    if (error) {
      pause_.expires_after(kBetweenFailures);
      return pause_.async_wait([this](beast::error_code stopped) {
        if (!stopped) Accept();
      });
    }
    if (state_->connections < kMaxConnections) {
      std::make_shared<Connection>(std::move(socket), state_)->Read();
    }
    Accept();
  });
}

}  // namespace pgweir::proxy
