#include "proxy/http_post.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <exception>
#include <optional>

namespace pgweir::proxy {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::asio::ip::tcp;
using Answer = observe::SpanExporter::Answer;

constexpr std::chrono::milliseconds kLookEvery{20};
constexpr size_t kReadAtOnce = size_t{64} << 10;

// One request and its answer. What it is made of outlives it.
class Exchange {
 public:
  Exchange(const config::HttpUrl& url, const std::string& body) : url_(url) {
    request_.method(http::verb::post);
    request_.target(url.target);
    request_.version(11);
    request_.set(http::field::host, url.Authority());
    request_.set(http::field::user_agent, "pgweir");
    request_.set(http::field::content_type, "application/json");
    request_.keep_alive(false);
    request_.body() = {body.data(), body.size()};
    request_.prepare_payload();
  }

  Answer Run(const std::function<bool()>& over) {
    Connect();
    while (!outcome_.has_value() && !over()) io_.run_for(kLookEvery);
    if (!outcome_.has_value()) return {0, "no answer in time"};
    if (*outcome_) return {0, outcome_->message()};
    return {response_.result_int(), ""};
  }

 private:
  void Connect() {
    beast::error_code error;
    tcp::resolver resolver(io_);
    const auto found = resolver.resolve(url_.host, std::to_string(url_.port), error);
    if (error) return End(error);
    stream_.async_connect(found, [this](beast::error_code failed, const tcp::endpoint&) {
      failed ? End(failed) : Write();
    });
  }
  void Write() {
    http::async_write(stream_, request_,
                      [this](beast::error_code failed, size_t) { failed ? End(failed) : Read(); });
  }
  void Read() {
    http::async_read(stream_, buffer_, response_,
                     [this](beast::error_code failed, size_t) { End(failed); });
  }
  void End(beast::error_code error) { outcome_ = error; }

  const config::HttpUrl& url_;
  http::request<http::span_body<const char>> request_;
  http::response<http::string_body> response_;
  beast::flat_buffer buffer_{kReadAtOnce};
  std::optional<beast::error_code> outcome_;
  boost::asio::io_context io_{1};
  beast::tcp_stream stream_{io_};
};

}  // namespace

Answer PostJson(const config::HttpUrl& url, const std::string& body,
                const std::function<bool()>& over) {
  try {
    return Exchange(url, body).Run(over);
  } catch (const std::exception& error) {  // out of file descriptors
    return {0, error.what()};
  }
}

}  // namespace pgweir::proxy
