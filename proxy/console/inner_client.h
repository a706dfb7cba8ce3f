#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "net/event.h"
#include "net/output.h"
#include "net/stream.h"
#include "proxy/host.h"
#include "wire/frame_scanner.h"

namespace pgweir::proxy {

// A client of pgweir's own, over a pair of sockets: its session is one like any other's, but that
// nobody asks it who it is. On the worker of the host, whose session serves it.
class InnerClient {
 public:
  // `event`, which outlives this, is set when there is something to Pump.
  InnerClient(SessionHost& host, net::Event& event, const std::string& user,
              const std::string& database);

  // What it sends is answered by one ReadyForQuery. The last one is to have been answered.
  void Send(std::string_view request);
  // Whether all that was sent, at first the login, is answered, or the session over.
  bool Pump();
  bool over() const { return over_; }
  // The first error of the last answer, once.
  Status TakeError() { return std::exchange(error_, absl::OkStatus()); }

 private:
  static uint32_t Head(char type, uint32_t body_length);
  void Take(wire::Bytes bytes);
  void OnMessage(const wire::Frame& frame);

  net::Worker& worker_;
  net::Stream stream_;
  net::Output output_;
  wire::FrameScanner scanner_{Head};
  std::string unscanned_;
  Status error_;
  bool answered_ = false;
  bool over_ = false;
};

}  // namespace pgweir::proxy
