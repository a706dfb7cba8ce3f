#pragma once

#include <memory>

#include "tests/support/twin_runner.h"

namespace pgweir::test {

// One client's side of a run, through all its connections.
class TwinSession {
 public:
  explicit TwinSession(int port) : port_(port) {}

  // Sends what the step says, and reads its answer; two calls, so that clients overlap.
  void Start(const TwinStep& step);
  TwinAnswer Finish(const TwinStep& step);
  void End();  // Terminate, and waits until the peer has closed

 private:
  void Connect(const TwinStep& step);
  void CancelUntilAnswered();
  void ReadAnswer(const TwinStep& step, TwinAnswer& answer);
  void Keep(Message message, TwinAnswer& answer);

  int port_;
  std::unique_ptr<RawClient> client_;  // null when there is no connection
  std::string key_;
  std::string broken_;
  std::map<std::string, std::string> parameters_;
};

}  // namespace pgweir::test
