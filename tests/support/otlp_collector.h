#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/otlp_request.h"

namespace pgweir::test {

// A collector of traces on a loopback port: takes requests of OTLP/HTTP, one after the other, and
// keeps what is in them.
class OtlpCollector {
 public:
  OtlpCollector();
  ~OtlpCollector();

  int port() const { return port_; }
  std::string Url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  // What requests from now on are answered with; 0 = they wait for ever.
  void set_status(int status) { status_ = status; }

  int requests() const { return requests_; }
  // The first request's head, and the bodies of all, one after the other.
  std::string head() const;
  std::string bodies() const;
  // Of requests that were answered with 200.
  std::vector<OtlpSpan> spans() const;
  // The span with `part` in its text or name, once it is there; none if it doesn't come.
  std::optional<OtlpSpan> SpanWith(std::string_view part) const;
  // The spans right below this one that there are, by their names.
  std::map<std::string, OtlpSpan> Below(const OtlpSpan& span) const;

 private:
  void Run();
  void Serve(int fd);

  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> status_ = 200;
  std::atomic<int> requests_ = 0;
  mutable std::mutex mutex_;
  std::string head_, bodies_;
  std::vector<OtlpSpan> spans_;
  std::vector<int> held_;  // connections that are not answered
  std::thread thread_;
};

}  // namespace pgweir::test
