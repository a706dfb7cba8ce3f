// The messages of a stream are the same however it is cut.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "wire/frame_scanner.h"

namespace {

using pgweir::wire::Bytes;
using pgweir::wire::Frame;
using pgweir::wire::FrameScanner;

struct Seen {
  char type;
  uint32_t body_length;
  std::string head;
  bool operator==(const Seen&) const = default;
};

// Feeds `stream` in pieces of `step` bytes; ends at the first fault.
std::vector<Seen> Scan(std::string_view stream, size_t step, FrameScanner::HeadPolicy policy) {
  FrameScanner scanner(policy);
  std::vector<Seen> seen;
  std::string held;
  for (size_t at = 0; at < stream.size(); at += step) {
    held.append(stream.substr(at, step));
    const Bytes in = pgweir::wire::AsBytes(held);
    size_t position = 0;
    Frame frame;
    FrameScanner::Step result;
    while ((result = scanner.Next(in, position, frame)) == FrameScanner::Step::kFrame) {
      if (position > in.size() || frame.head.size() > frame.body_length) std::abort();
      seen.push_back(
          {frame.type, frame.body_length, std::string(pgweir::wire::AsText(frame.head))});
    }
    if (result != FrameScanner::Step::kMore) return seen;
    held.erase(0, position);
    if (held.size() > pgweir::wire::kMaxHead + pgweir::wire::kHeaderSize + step) std::abort();
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const auto policy = data[0] & 1 ? pgweir::wire::ClientHead : pgweir::wire::ServerHead;
  const size_t step = 1 + data[1];
  const std::string_view stream(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (Scan(stream, stream.size() + 1, policy) != Scan(stream, step, policy)) std::abort();
  return 0;
}
