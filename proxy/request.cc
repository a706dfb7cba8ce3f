#include "proxy/request.h"

#include <algorithm>

#include "base/strings.h"
#include "proxy/error_response.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

using Step = wire::FrameScanner::Step;
namespace frontend = wire::frontend;

// A server acts on these at once; before them it may keep its answers to itself.
bool WantsAnswerNow(char type) {
  return type == frontend::kQuery || type == frontend::kSync || type == frontend::kFlush ||
         type == frontend::kFunctionCall || type == frontend::kTerminate;
}

// How much of `in`, which begins at a message, is to be sent now; kMore: nothing yet.
struct Part {
  Step step = Step::kMore;
  size_t size = 0;
  wire::Frame frame;
};

// All that there is, when it holds something that is to be answered now, or is long.
Part AllOf(wire::Bytes in) {
  wire::FrameScanner scanner(wire::ClientHead);
  Part part{Step::kMore, in.size(), {}};
  size_t position = 0;
  while ((part.step = scanner.Next(in, position, part.frame)) == Step::kFrame) {
    if (scanner.at_boundary() && WantsAnswerNow(part.frame.type)) return part;
    if (part.frame.body_length > RequestReader::kMaxGathered) return part;
  }
  if (part.step == Step::kMore && in.size() > RequestReader::kMaxGathered) {
    part.step = Step::kFrame;
  }
  return part;
}

// The messages up to the first that is to be answered now, or as many as are gathered. One that is
// longer comes as far as it is here, along with what is before it.
Part FirstOf(wire::Bytes in) {
  constexpr size_t kMost = RequestReader::kMaxMessage;
  wire::FrameScanner scanner(wire::ClientHead);
  Part part;
  size_t position = 0;
  while ((part.step = scanner.Next(in, position, part.frame)) == Step::kFrame) {
    part.size = position;
    if (!scanner.at_boundary()) {
      if (part.frame.end() <= kMost + RequestReader::kMaxGathered) part.step = Step::kMore;
      return part;
    }
    if (WantsAnswerNow(part.frame.type) || position > kMost) return part;
  }
  return part;
}

}  // namespace

// One read may get less than there is: a TLS record, or what fits. Nothing would tell of the rest.
RequestReader::State RequestReader::Poll(wire::Bytes& request) {
  while (true) {
    if (!client_.output.empty()) {
      const net::IoState state = client_.output.Flush(client_.stream);
      if (state == net::IoState::kFailed) return State::kEnded;
      // A client that doesn't take its answers gets no further ones made.
      if (state == net::IoState::kBlocked) return State::kWait;
    }
    const State state = PollOnce(request);
    if (state != State::kWait || !client_.stream.readable()) return state;
  }
}

RequestReader::State RequestReader::PollOnce(wire::Bytes& request) {
  const bool fresh = client_.input.size() == examined_;
  if (fresh && !client_.stream.readable()) return State::kWait;

  const std::span<std::byte> scratch = client_.event.worker().scratch();
  size_t size = client_.input.size();
  std::copy_n(wire::AsBytes(client_.input).data(), size, scratch.data());
  if (client_.stream.readable() && (fresh || !one_by_one_)) {
    const net::IoResult got = client_.stream.Read(scratch.subspan(size));
    if (got.state == net::IoState::kClosed || got.state == net::IoState::kFailed) {
      return State::kEnded;
    }
    if (got.state == net::IoState::kBlocked && fresh) return State::kWait;
    client_.counters->Add(Stat::kReceived, got.bytes);
    size += got.bytes;
  }
  return Examine(scratch.first(size), request);
}

RequestReader::State RequestReader::Examine(wire::Bytes in, wire::Bytes& request) {
  std::string answer;
  size_t position = 0;
  wire::Frame frame;
  Step step;
  while ((step = scanner_.Next(in, position, frame)) == Step::kFrame) {
    if (AnswersItself(frame, answer)) {
      if (ended_) return State::kEnded;
      continue;
    }
    scanner_ = wire::FrameScanner(wire::ClientHead);
    position = frame.offset;
    break;
  }
  if (!answer.empty() && !client_.Send(answer)) return State::kEnded;
  const wire::Bytes rest = in.subspan(position);
  if (step == Step::kFrame) {
    const Part part = one_by_one_ ? FirstOf(rest) : AllOf(rest);
    step = part.step;
    frame = part.frame;
    if (step == Step::kFrame) {
      request = rest.first(part.size);
      AssignMostlyNothing(client_.input, wire::AsText(rest.subspan(part.size)));
      examined_ = 0;
      return State::kReady;
    }
  }
  if (step != Step::kMore) return Violated(step, frame);
  AssignMostlyNothing(client_.input, wire::AsText(rest));
  examined_ = client_.input.size();
  if (client_.input.empty()) client_.input.shrink_to_fit();
  return State::kWait;
}

bool RequestReader::AnswersItself(const wire::Frame& frame, std::string& answer) {
  switch (frame.type) {
    case frontend::kTerminate:
      ended_ = true;
      return true;
    case frontend::kSync:
      if (standing_.batch_open) return false;
      skipping_to_sync_ = false;
      wire::AppendReadyForQuery(answer, standing_.status);
      return true;
    // Outside a COPY the server ignores its messages, and a Flush finds nothing to push.
    case frontend::kFlush:
    case frontend::kCopyData:
    case frontend::kCopyDone:
    case frontend::kCopyFail:
      return !standing_.batch_open;
    default:
      return skipping_to_sync_;
  }
}

void RequestReader::Reject(wire::Bytes request, const Status& error) {
  std::string answer;
  size_t position = 0;
  wire::Frame frame;
  Step step;
  while ((step = scanner_.Next(request, position, frame)) == Step::kFrame) {
    if (AnswersItself(frame, answer)) continue;
    AppendError(answer, Severity::kError, error);
    if (frame.type == frontend::kQuery || frame.type == frontend::kFunctionCall) {
      wire::AppendReadyForQuery(answer, standing_.status);
    } else {
      skipping_to_sync_ = true;
    }
  }
  client_.input.insert(0, wire::AsText(request.subspan(position)));
  if (!client_.Send(answer)) ended_ = true;
}

void RequestReader::Accept(wire::Bytes request, std::span<const std::string_view> answer) {
  size_t position = 0;
  wire::Frame frame;
  while (scanner_.Next(request, position, frame) == Step::kFrame) {
  }
  if (!client_.Send(answer)) ended_ = true;
}

void RequestReader::Rewind() {
  scanner_ = wire::FrameScanner(wire::ClientHead);
  if (!one_by_one_) client_.input.clear();
}

RequestReader::State RequestReader::Violated(Step step, const wire::Frame& frame) {
  violation_ = ProtocolViolation(step, frame.type);
  return State::kViolation;
}

Status ProtocolViolation(Step step, char type) {
  if (step == Step::kBadLength)
    return Error(sqlstate::kProtocolViolation, "invalid message length");
  return Errorf(sqlstate::kProtocolViolation, "invalid frontend message type {}",
                static_cast<unsigned char>(type));
}

}  // namespace pgweir::proxy
