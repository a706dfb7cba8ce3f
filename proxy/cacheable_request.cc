#include "proxy/cacheable_request.h"

#include "wire/byte_reader.h"
#include "wire/frame_scanner.h"
#include "wire/messages.h"
#include "wire/result_messages.h"

namespace pgweir::proxy {
namespace {

namespace frontend = wire::frontend;

// The messages of such a batch, in the order in which they may come.
enum class Stage { kBegin, kParsed, kBound, kDescribed, kExecuted, kDone };

class BatchWalk {
 public:
  // False when the request is another one.
  bool Take(const wire::Frame& frame, wire::Bytes whole_body) {
    wire::ByteReader body(whole_body);
    switch (frame.type) {
      case frontend::kParse:
        found_.parses = true;
        return Go(Stage::kBegin, Stage::kParsed) && body.Text() == "";
      case frontend::kBind: {
        if (stage_ != Stage::kBegin && stage_ != Stage::kParsed) return false;
        stage_ = Stage::kBound;
        const bool unnamed = body.Text() == "";
        const auto name = body.Text();
        found_.statement = name.value_or("");
        return unnamed && name.has_value() && (!found_.parses || name->empty());
      }
      case frontend::kDescribe:
        found_.describes = true;
        return Go(Stage::kBound, Stage::kDescribed) && body.Byte() == 'P' && body.Text() == "";
      case frontend::kExecute:
        if (stage_ != Stage::kBound && stage_ != Stage::kDescribed) return false;
        stage_ = Stage::kExecuted;
        return body.Text() == "" && body.Int32() == 0;
      case frontend::kSync:
        return Go(Stage::kExecuted, Stage::kDone);
      default:
        return false;
    }
  }

  bool done() const { return stage_ == Stage::kDone; }
  CacheableRequest found() const {
    CacheableRequest found = found_;
    found.extended = true;
    return found;
  }

 private:
  bool Go(Stage from, Stage to) {
    if (stage_ != from) return false;
    stage_ = to;
    return true;
  }

  Stage stage_ = Stage::kBegin;
  CacheableRequest found_;
};

}  // namespace

std::optional<CacheableRequest> ReadCacheable(wire::Bytes request) {
  wire::FrameScanner scanner(wire::ClientHead);
  BatchWalk batch;
  size_t position = 0;
  wire::Frame frame;
  while (scanner.Next(request, position, frame) == wire::FrameScanner::Step::kFrame) {
    if (!scanner.at_boundary()) return std::nullopt;
    const bool last = position == request.size();
    if (frame.type == frontend::kQuery) {
      if (frame.offset != 0 || !last) return std::nullopt;
      return CacheableRequest{};
    }
    const wire::Bytes body = request.subspan(frame.offset + wire::kHeaderSize, frame.body_length);
    if (!batch.Take(frame, body)) return std::nullopt;
    if (last && batch.done()) return batch.found();
  }
  return std::nullopt;
}

void AppendBeforeRows(std::string& out, const CacheableRequest& request,
                      std::string_view row_description) {
  if (request.parses) wire::AppendParseComplete(out);
  if (request.extended) wire::AppendBindComplete(out);
  if (request.wants_description()) out += row_description;
}

void AppendBehindRows(std::string& out, std::string_view tag, wire::TransactionStatus status) {
  wire::AppendCommandComplete(out, tag);
  wire::AppendReadyForQuery(out, status);
}

}  // namespace pgweir::proxy
