#pragma once

#include <string>

#include "net/stream.h"

namespace pgweir::net {

// What could not be written to a stream yet. Holds no memory while it is empty.
class Output {
 public:
  bool empty() const { return pending_.empty(); }
  size_t size() const { return pending_.size() - written_; }

  // Writes as much as the stream takes, behind what waits already, and keeps the rest. kBlocked
  // when something is left.
  IoState Send(Stream& stream, std::span<const std::byte> bytes);
  IoState Send(Stream& stream, std::string_view bytes) {
    return Send(stream, std::as_bytes(std::span(bytes.data(), bytes.size())));
  }
  // Likewise of several pieces, one behind the other, which nothing but the rest is copied of.
  IoState Send(Stream& stream, std::span<const std::string_view> pieces);
  // Goes on with what is left.
  IoState Flush(Stream& stream);

  void Append(std::span<const std::byte> bytes);
  void Clear();

 private:
  std::string pending_;
  size_t written_ = 0;
};

}  // namespace pgweir::net
