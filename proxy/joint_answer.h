#pragma once

#include <cstdint>
#include <string>

#include "wire/frame_scanner.h"

namespace pgweir::proxy {

// One answer for a client, made of the answers of several backends, one after the other, to the
// same read: a single statement, carried out whole. The first says what the rows are like, each
// gives its rows, the last ends the answer with the number of them all. An error ends it at once,
// and with it the parts that have not begun.
class JointAnswer {
 public:
  // The next backend's answer follows.
  void BeginPart(bool last);
  bool begun() const { return begun_; }
  // There are parts behind the present one.
  bool goes_on_elsewhere() const { return begun_ && !last_ && !failed_; }
  // The present part isn't the first.
  bool goes_on() const { return begun_ && !first_; }
  // The client has been told of an error.
  bool failed() const { return failed_; }

  enum class Fate : uint8_t { kForward, kDrop, kReplace };
  // A message of the present part that would reach the client. kReplace: `instead` does.
  Fate OnMessage(const wire::Frame& frame, std::string& instead);

 private:
  uint64_t rows_ = 0;
  bool begun_ = false;
  bool first_ = false;
  bool last_ = false;
  bool has_rows_ = false;  // the part's rows are all there
  bool failed_ = false;
};

}  // namespace pgweir::proxy
