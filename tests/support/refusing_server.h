#pragma once

#include <atomic>
#include <string>
#include <thread>

namespace pgweir::test {

// Answers each connection's start-up with the same bytes and closes it.
class RefusingServer {
 public:
  explicit RefusingServer(std::string answer);
  ~RefusingServer();

  int port() const { return port_; }
  int asked() const { return asked_; }

 private:
  void Run();

  std::string answer_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> asked_ = 0;
  std::thread thread_;
};

}  // namespace pgweir::test
