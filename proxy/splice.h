#pragma once

#include <string>

#include "wire/protocol.h"

namespace pgweir::proxy {

// Bytes on their way through, some of which are replaced. Copies nothing until something is.
class Splice {
 public:
  // `buffer` is where the result is put together once it is not what came in.
  Splice(wire::Bytes in, std::string& buffer) : in_(in), buffer_(buffer) { buffer_.clear(); }

  // in[from, to) is left out; what the caller appends to the result, before the next call, stands
  // in its place. Ranges come in order.
  std::string& Replace(size_t from, size_t to) {
    buffer_ += wire::AsText(in_.subspan(taken_, from - taken_));
    taken_ = to;
    edited_ = true;
    return buffer_;
  }
  std::string& InsertBefore(size_t at) { return Replace(at, at); }

  // in[from, to), as it came.
  wire::Bytes In(size_t from, size_t to) const { return in_.subspan(from, to - from); }
  // Whether it came to there.
  bool Reaches(size_t to) const { return to <= in_.size(); }

  // What stands for in[0, end).
  wire::Bytes Result(size_t end) {
    if (!edited_) return in_.first(end);
    if (end > taken_) buffer_ += wire::AsText(in_.subspan(taken_, end - taken_));
    taken_ = std::max(taken_, end);
    return wire::AsBytes(buffer_);
  }

 private:
  const wire::Bytes in_;
  std::string& buffer_;
  size_t taken_ = 0;
  bool edited_ = false;
};

}  // namespace pgweir::proxy
