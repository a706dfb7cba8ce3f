#pragma once

#include <string>

#include "net/stream.h"

namespace pgweir::net {

class SendBatch;

// What goes to a stream: the way there, and what could not be written yet. Holds no memory while
// it is empty.
//
// Small sends of an attached stream are given to its worker's SendBatch, which sends them at the
// end of the turn, or before the stream or the output is gone.
class Output {
 public:
  Output() = default;
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Nothing waits for the stream to take more. (Or it isn't known yet.)
  bool empty() const { return pending_.empty(); }
  size_t size() const { return pending_.size() - written_; }

  // Writes as much as the stream takes, behind what waits already, and keeps the rest. kBlocked
  // when something is left; kOk also when it is sent at the end of the turn. kFailed: it is
  // broken and has taken nothing. (Where it broke in the middle the next call tells, or a read.)
  IoState Send(Stream& stream, std::span<const std::byte> bytes);
  IoState Send(Stream& stream, std::string_view bytes) {
    return Send(stream, std::as_bytes(std::span(bytes.data(), bytes.size())));
  }
  // Likewise of several pieces, one behind the other, which nothing but the rest is copied of.
  IoState Send(Stream& stream, std::span<const std::string_view> pieces);
  // Goes on with what is left, now. kOk: the stream has taken everything.
  IoState Flush(Stream& stream);

  void Append(std::span<const std::byte> bytes);
  void Clear();

 private:
  friend class SendBatch;

  bool Queue(Stream& stream, std::span<const std::string_view> pieces);
  IoState Write(Stream& stream, std::span<const std::byte> bytes);

  SendBatch* batch_ = nullptr;  // where something of it is
  std::string pending_;
  size_t written_ = 0;
};

}  // namespace pgweir::net
