#include "wire/frame_scanner.h"

#include <algorithm>

namespace pgweir::wire {
namespace {

uint32_t ReadLength(const std::byte* p) {
  return std::to_integer<uint32_t>(p[0]) << 24 | std::to_integer<uint32_t>(p[1]) << 16 |
         std::to_integer<uint32_t>(p[2]) << 8 | std::to_integer<uint32_t>(p[3]);
}

}  // namespace

FrameScanner::Step FrameScanner::Next(Bytes in, size_t& position, Frame& frame) {
  const size_t skipped = std::min<size_t>(body_left_, in.size() - position);
  position += skipped;
  body_left_ -= static_cast<uint32_t>(skipped);
  const size_t available = in.size() - position;
  if (available == 0) return Step::kMore;

  frame.type = static_cast<char>(in[position]);
  frame.offset = position;
  if (available < kHeaderSize) {
    // A type that can't be is refused before its length arrives.
    return policy_(frame.type, 0) == kRefused ? Step::kBadType : Step::kMore;
  }
  const uint32_t length = ReadLength(in.data() + position + 1);
  frame.body_length = length - 4;
  uint32_t wanted = policy_(frame.type, frame.body_length);
  if (wanted == kRefused) return Step::kBadType;
  if (length < 4 || length > kMaxMessageLength) return Step::kBadLength;
  if (want_rows_ && frame.type == backend::kDataRow) wanted = kMaxHead;
  wanted = std::min(wanted, frame.body_length);
  if (available < kHeaderSize + wanted) return Step::kMore;

  frame.head = in.subspan(position + kHeaderSize, wanted);
  const size_t of_body = std::min<size_t>(frame.body_length, available - kHeaderSize);
  position += kHeaderSize + of_body;
  body_left_ = frame.body_length - static_cast<uint32_t>(of_body);
  return Step::kFrame;
}

uint32_t ClientHead(char type, uint32_t body_length) {
  switch (type) {
    case frontend::kBind:
    case frontend::kClose:
    case frontend::kDescribe:
    case frontend::kExecute:
      return std::min(body_length, kMaxNames);
    case frontend::kFunctionCall:
      return std::min<uint32_t>(body_length, 4);  // the function's OID
    case frontend::kParse:
    case frontend::kQuery:
      return std::min(body_length, kMaxStatement);
    case frontend::kCopyData:
    case frontend::kCopyDone:
    case frontend::kCopyFail:
    case frontend::kFlush:
    case frontend::kSync:
    case frontend::kTerminate:
      return 0;
    default:
      return FrameScanner::kRefused;
  }
}

uint32_t ServerHead(char type, uint32_t body_length) {
  switch (type) {
    case backend::kReadyForQuery:
      return 1;
    case backend::kErrorResponse:
    case backend::kNoticeResponse:
    case backend::kParameterStatus:
    case backend::kNegotiateProtocolVersion:
      return std::min(body_length, kMaxHead);
    case backend::kCommandComplete:
      return std::min<uint32_t>(body_length, 64);
    case backend::kParameterDescription:
      return std::min(body_length, kMaxStatement);
    case backend::kBindComplete:
    case backend::kCloseComplete:
    case backend::kCopyBothResponse:
    case backend::kCopyData:
    case backend::kCopyDone:
    case backend::kCopyInResponse:
    case backend::kCopyOutResponse:
    case backend::kDataRow:
    case backend::kEmptyQueryResponse:
    case backend::kFunctionCallResponse:
    case backend::kNoData:
    case backend::kNotificationResponse:
    case backend::kParseComplete:
    case backend::kPortalSuspended:
    case backend::kRowDescription:
      return 0;
    default:
      return FrameScanner::kRefused;
  }
}

}  // namespace pgweir::wire
