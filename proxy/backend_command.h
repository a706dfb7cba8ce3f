#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "net/output.h"
#include "net/worker.h"
#include "pooler/pool.h"
#include "proxy/answer_capture.h"

namespace pgweir::proxy {

// SQL that is carried out on a backend which no client is attached to. For the thread that holds
// the lease, which outlives this; its event says when to pump.
class BackendCommand {
 public:
  // `rows`: where the first column of its rows goes; null = nobody asks.
  BackendCommand(pooler::Lease& lease, net::Worker& worker, std::string_view sql,
                 std::vector<std::string>* rows = nullptr);
  // A client's request, a Query or a batch of unnamed statements with its Sync, whose answer goes
  // to `capture`, which outlives this.
  BackendCommand(pooler::Lease& lease, net::Worker& worker, wire::Bytes request,
                 AnswerCapture& capture);
  ~BackendCommand();
  BackendCommand(const BackendCommand&) = delete;
  BackendCommand& operator=(const BackendCommand&) = delete;

  enum class State : uint8_t { kWait, kDone, kLost };
  State Pump();

  // When it is done: the server's first error, else OK.
  const Status& error() const { return error_; }
  // The last statement's command tag.
  const std::string& tag() const { return tag_; }

 private:
  bool Take(wire::Bytes in);
  void OnMessage(const wire::Frame& frame);

  void Announce(wire::Bytes request);

  pooler::Lease& lease_;
  net::Worker& worker_;
  std::vector<std::string>* rows_ = nullptr;
  net::Output output_;
  AnswerCapture* capture_ = nullptr;
  Status error_;
  std::string tag_;
};

}  // namespace pgweir::proxy
