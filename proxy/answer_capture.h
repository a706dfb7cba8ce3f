#pragma once

#include <cstdint>
#include <string>

#include "wire/protocol.h"

namespace pgweir::proxy {

// Keeps the answer to one read while it passes to its client, for others who ask the same. Gives up
// on whatever isn't such an answer, and on one that is too long. For one thread.
class AnswerCapture {
 public:
  // Another answer begins, which is to leave its client so.
  void Begin(size_t max_bytes, wire::TransactionStatus status = wire::TransactionStatus::kIdle);
  // What the client is sent, in pieces of any size.
  void Take(wire::Bytes bytes);

  // Behind this answer, which is complete, come the rows of another one to the same read. Complete
  // only if that is, and both together are not too long.
  void Join(AnswerCapture other);

  // The client has been sent some of it.
  bool begun() const { return begun_; }
  // All of it is here, up to a ReadyForQuery with that status.
  bool complete() const { return complete_; }
  // The answer is over, and none to be kept, or will be none.
  bool given_up() const { return given_up_; }
  bool too_long() const { return too_long_; }
  bool failed() const { return type_ == wire::backend::kErrorResponse; }

  std::string row_description;  // the message; "" = there was none
  std::string rows;             // DataRow messages
  std::string tag;              // of CommandComplete
  uint64_t row_count = 0;

 private:
  void OnHeader();
  void OnBody(wire::Bytes piece);
  void OnEnd();
  void GiveUp();

  std::string header_;
  uint32_t body_left_ = 0;
  char type_ = 0;
  wire::TransactionStatus status_ = wire::TransactionStatus::kIdle;
  bool as_expected_ = false;
  size_t max_bytes_ = 0;
  bool begun_ = false;
  bool complete_ = false;
  bool given_up_ = true;
  bool too_long_ = false;
};

}  // namespace pgweir::proxy
