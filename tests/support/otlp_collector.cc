#include "tests/support/otlp_collector.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <tuple>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "tests/support/loopback.h"
#include "tests/support/wait_until.h"

namespace pgweir::test {
namespace {

constexpr std::string_view kLength = "Content-Length: ";

// A request's head and body; both "" when it doesn't come whole.
std::pair<std::string, std::string> ReadRequest(int fd) {
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::string in;
  size_t head = 0, whole = std::string::npos;
  while (in.size() < whole) {
    char bytes[16384];
    const ssize_t count = ::recv(fd, bytes, sizeof bytes, 0);
    if (count <= 0) return {};
    in.append(bytes, static_cast<size_t>(count));
    const size_t end = in.find("\r\n\r\n");
    if (head != 0 || end == in.npos) continue;
    head = end + 4;
    const size_t length = in.find(kLength);
    if (length == in.npos || length > head) return {};
    whole = head + std::stoul(in.substr(length + kLength.size()));
  }
  return {in.substr(0, head), in.substr(head)};
}

}  // namespace

OtlpCollector::OtlpCollector() {
  std::tie(listener_, port_) = ListenOnLoopback("the collector");
  thread_ = std::thread([this] { Run(); });
}

OtlpCollector::~OtlpCollector() {
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
  for (const int fd : held_) ::close(fd);
}

void OtlpCollector::Run() {
  for (int fd = 0; (fd = ::accept(listener_, nullptr, nullptr)) >= 0;) Serve(fd);
}

void OtlpCollector::Serve(int fd) {
  const auto [head, body] = ReadRequest(fd);
  const int status = status_;
  if (status == 0) {
    held_.push_back(fd);
  } else if (!head.empty()) {
    const std::lock_guard lock(mutex_);
    if (head_.empty()) head_ = head;
    bodies_ += body;
    if (status == 200) {
      try {
        for (OtlpSpan& span : ReadOtlpRequest(body).spans) spans_.push_back(std::move(span));
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what() << ": " << body;
      }
    }
  }
  if (!head.empty()) ++requests_;
  if (status == 0) return;
  const std::string answer = fmt::format(
      "HTTP/1.1 {} so\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}", status);
  ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
  ::close(fd);
}

std::string OtlpCollector::head() const {
  const std::lock_guard lock(mutex_);
  return head_;
}

std::string OtlpCollector::bodies() const {
  const std::lock_guard lock(mutex_);
  return bodies_;
}

std::vector<OtlpSpan> OtlpCollector::spans() const {
  const std::lock_guard lock(mutex_);
  return spans_;
}

std::optional<OtlpSpan> OtlpCollector::SpanWith(std::string_view part) const {
  std::optional<OtlpSpan> found;
  WaitUntil([&] {
    for (const OtlpSpan& span : spans()) {
      const auto text = span.attributes.find("db.query.text");
      if (span.name.find(part) != span.name.npos ||
          (text != span.attributes.end() && text->second.find(part) != std::string::npos)) {
        found = span;
      }
    }
    return found.has_value();
  });
  EXPECT_TRUE(found.has_value()) << "no span with " << part;
  return found;
}

std::map<std::string, OtlpSpan> OtlpCollector::Below(const OtlpSpan& parent) const {
  std::map<std::string, OtlpSpan> below;
  for (const OtlpSpan& span : spans()) {
    if (span.parent == parent.id && span.trace == parent.trace) below[span.name] = span;
  }
  return below;
}

}  // namespace pgweir::test
