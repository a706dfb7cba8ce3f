#pragma once

#include <cstdint>

#include "wire/protocol.h"

namespace pgweir::wire {

// One message of a stream, seen at its header.
struct Frame {
  char type = 0;
  uint32_t body_length = 0;
  size_t offset = 0;  // of its type byte in the input that was scanned
  // The first min(body_length, what the HeadPolicy asked for) bytes of the body. Valid as long as
  // the input that was scanned.
  Bytes head;
  size_t end() const { return offset + kHeaderSize + body_length; }  // likewise
  // Whether `head` is the whole body.
  bool whole() const { return head.size() == body_length; }
};

// Finds the messages in a stream of bytes that passes through in pieces of any size, without
// holding or copying payload. Type and length are all it needs of most messages; where a decision
// needs some of the body, the policy asks for it and the scanner waits until it is there.
//
//   size_t position = 0;
//   while (scanner.Next(in, position, frame) == FrameScanner::Step::kFrame) { ... }
//   // in[0, position) may be forwarded; in[position, end) must come again, with more behind it.
class FrameScanner {
 public:
  // How many bytes of the body must be contiguous before the frame is reported; kRefused when no
  // such message may be sent.
  using HeadPolicy = uint32_t (*)(char type, uint32_t body_length);
  static constexpr uint32_t kRefused = UINT32_MAX;

  enum class Step {
    kFrame,    // `frame` is the next one; `position` is behind what of it is in `in`
    kMore,     // nothing more to see in `in`; what is left of it from `position` on is incomplete
    kBadType,  // refused by the policy; `frame.type` says which
    kBadLength,
  };

  explicit FrameScanner(HeadPolicy policy) : policy_(policy) {}

  Step Next(Bytes in, size_t& position, Frame& frame);

  // Whether DataRows are wanted whole, as far as kMaxHead, whatever the policy says.
  void WantRows(bool want) { want_rows_ = want; }

  // Whether the stream, as far as it was scanned, stands between two messages.
  bool at_boundary() const { return body_left_ == 0; }
  // Bytes that are still missing of the body of the last frame.
  uint32_t body_left() const { return body_left_; }

 private:
  HeadPolicy policy_;
  uint32_t body_left_ = 0;
  bool want_rows_ = false;
};

// Heads larger than this are cut: it bounds what a connection ever holds back.
inline constexpr uint32_t kMaxHead = 8192;
// So much of a statement's text is held to be understood, and, of one that is prepared, remembered.
inline constexpr uint32_t kMaxStatement = 48 * 1024;
// So much of a message that begins with names is seen; PostgreSQL's own have at most 63 bytes.
inline constexpr uint32_t kMaxNames = 512;

// What pgweir must see of messages from a client that is logged in, and from a server.
uint32_t ClientHead(char type, uint32_t body_length);
uint32_t ServerHead(char type, uint32_t body_length);

}  // namespace pgweir::wire
