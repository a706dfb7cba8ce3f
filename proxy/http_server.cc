#include "proxy/http_server.h"

#include <openssl/crypto.h>
#include <sys/socket.h>

#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/ip_address.h"
#include "base/log.h"
#include "config/file.h"
#include "wire/base64.h"

namespace pgweir::proxy {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = boost::asio::ssl;
using tcp = boost::asio::ip::tcp;

// A client that is slower, or silent for as long, is left.
constexpr std::chrono::seconds kPatience{30};
// Until the first request, so that those who only sit there don't keep others out.
constexpr std::chrono::seconds kFirstPatience{5};
constexpr const char* kPlain = "text/plain; charset=utf-8";

std::string_view ToStd(beast::string_view text) { return {text.data(), text.size()}; }

constexpr std::chrono::milliseconds kBetweenFailures{100};
constexpr size_t kMinToken = 16, kMaxToken = 4096;

// Whether the header shows the token: as a bearer's, or as anybody's password.
bool Shows(const std::string& token, std::string_view header) {
  constexpr std::string_view kBearer = "Bearer ", kBasic = "Basic ";
  std::string shown;
  if (header.starts_with(kBearer)) {
    shown = header.substr(kBearer.size());
  } else if (header.starts_with(kBasic)) {
    const std::string both = wire::Base64Decode(header.substr(kBasic.size())).value_or("");
    if (const size_t colon = both.find(':'); colon != std::string::npos) {
      shown = both.substr(colon + 1);
    }
  }
  return shown.size() == token.size() &&
         CRYPTO_memcmp(shown.data(), token.data(), token.size()) == 0;
}

}  // namespace

struct HttpServer::State {
  Answer answer;
  int connections = 0;
  std::shared_ptr<ssl::context> tls;  // null = without
  std::string token;                  // "" = none is asked for
};

// One client's connection, which keeps itself until it is over.
template <class Stream>
class HttpServer::Connection : public std::enable_shared_from_this<Connection<Stream>> {
 public:
  template <class... Tls>
  Connection(std::shared_ptr<State> state, tcp::socket socket, Tls&... tls)
      : state_(std::move(state)), tls_(state_->tls), stream_(std::move(socket), tls...) {
    ++state_->connections;
  }
  ~Connection() { --state_->connections; }

  void Begin() {
    if constexpr (kEncrypted) {
      beast::get_lowest_layer(stream_).expires_after(kFirstPatience);
      stream_.async_handshake(ssl::stream_base::server,
                              [self = this->shared_from_this()](beast::error_code error) {
                                if (!error) self->Read();
                              });
    } else {
      Read();
    }
  }

 private:
  static constexpr bool kEncrypted = !std::is_same_v<Stream, beast::tcp_stream>;

  void Read() {
    parser_.emplace();
    parser_->header_limit(kMaxHeader);
    parser_->body_limit(0);
    beast::get_lowest_layer(stream_).expires_after(std::exchange(patience_, kPatience));
    http::async_read(stream_, buffer_, *parser_,
                     [self = this->shared_from_this()](beast::error_code error, size_t) {
                       self->OnRequest(error);
                     });
  }

  void OnRequest(beast::error_code error) {
    const auto& request = parser_->get();
    const bool get = request.method() == http::verb::get || request.method() == http::verb::head;
    if (!error && get) {
      const std::string_view target = ToStd(request.target());
      const std::string_view path = target.substr(0, target.find('?'));
      const bool open = path == "/health" || path == "/ready" || state_->token.empty();
      if (open || Shows(state_->token, ToStd(request[http::field::authorization]))) {
        Write(state_->answer(path), request.keep_alive() && tls_ == state_->tls);
      } else {
        Write({401, kPlain, "this needs the token of admin.http_token_file\n"}, false);
      }
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
    if (answer.status == 401) {
      response_.set(http::field::www_authenticate, "Basic realm=\"pgweir\", Bearer");
    }
    response_.content_length(answer.body.size());
    if (!head) response_.body() = std::move(answer.body);
    serializer_.emplace(response_);
    beast::get_lowest_layer(stream_).expires_after(kPatience);
    http::async_write(stream_, *serializer_,
                      [self = this->shared_from_this()](beast::error_code error, size_t) {
                        const bool goes_on = !error && self->response_.keep_alive();
                        goes_on ? self->Read() : self->Close();
                      });
  }

  void Close() {
    if constexpr (kEncrypted) {
      stream_.async_shutdown([self = this->shared_from_this()](beast::error_code) {});
    } else {
      beast::error_code ignored;
      stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    }
  }

  const std::shared_ptr<State> state_;
  const std::shared_ptr<ssl::context> tls_;  // that the stream has been made with
  Stream stream_;
  std::chrono::seconds patience_ = kFirstPatience;
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

void HttpServer::Welcome(tcp::socket socket) {
  if (state_->tls == nullptr) {
    std::make_shared<Connection<beast::tcp_stream>>(state_, std::move(socket))->Begin();
  } else {
    using Encrypted = Connection<ssl::stream<beast::tcp_stream>>;
    std::make_shared<Encrypted>(state_, std::move(socket), *state_->tls)->Begin();
  }
}

Status HttpServer::Protect(const config::Admin& admin) {
  const auto fail = [](const std::string& file, std::string_view what) {
    return Errorf(sqlstate::kConfigFileError, "admin.http: {}: {}", file, what);
  };
  std::string token;
  if (const std::string& file = admin.http_token_file; !file.empty()) {
    const auto text = config::ReadFile(file, kMaxToken);
    if (!text.ok()) return fail(file, MessageOf(text.status()));
    token = text->substr(0, text->find_last_not_of("\r\n") + 1);
    if (token.size() < kMinToken || token.find('\n') != std::string::npos) {
      return fail(file, "must be one line of at least 16 characters");
    }
  }
  std::shared_ptr<ssl::context> tls;
  if (!admin.http_key.empty()) {
    tls = std::make_shared<ssl::context>(ssl::context::tls_server);
    SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
    beast::error_code error;
    tls->use_certificate_chain_file(admin.http_certificate, error);
    if (error) return fail(admin.http_certificate, error.message());
    tls->use_private_key_file(admin.http_key, ssl::context::pem, error);
    if (error) return fail(admin.http_key, error.message());
  }
  state_->token = std::move(token);
  state_->tls = std::move(tls);
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
      Welcome(std::move(socket));
    }
    Accept();
  });
}

}  // namespace pgweir::proxy
