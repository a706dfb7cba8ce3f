#include "proxy/request_contents.h"

#include "router/statement_cache.h"
#include "wire/byte_reader.h"
#include "wire/frame_scanner.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

using Use = RequestStatement::Use;
namespace frontend = wire::frontend;

constexpr char kStatement = 'S';

// Looks at the messages of one request, in order.
class RequestWalk {
 public:
  RequestWalk(wire::Bytes request, const ReadingContext& context, RequestContents& contents)
      : request_(request), context_(context), contents_(contents) {}

  void Look(const wire::Frame& frame) {
    switch (frame.type) {
      case frontend::kQuery:
        ++contents_.executions;
        return OnQuery(frame);
      case frontend::kParse:
        return OnParse(frame);
      case frontend::kBind:
        return OnBind(frame);
      case frontend::kDescribe:
        return OnDescribe(frame);
      case frontend::kExecute:
        return OnExecute(frame);
      case frontend::kClose:
      case frontend::kSync:
      case frontend::kFlush:
      case frontend::kCopyData:
      case frontend::kCopyDone:
      case frontend::kCopyFail:
        return;
      default:
        contents_.statements.emplace_back();  // FunctionCall
    }
  }

 private:
  struct Parsed {
    std::string_view name;
    size_t statement;
  };

  router::FactsRef Understand(std::string_view text) {
    return context_.statements.Find(text, context_.settings.standard_strings());
  }

  // As much of the message's body as is here.
  wire::Bytes Body(const wire::Frame& frame) const {
    return request_.subspan(frame.offset + wire::kHeaderSize)
        .first(std::min<size_t>(frame.body_length,
                                request_.size() - frame.offset - wire::kHeaderSize));
  }

  void OnQuery(const wire::Frame& frame) {
    RequestStatement& statement = contents_.statements.emplace_back();
    const wire::Bytes body = Body(frame);
    const auto text = wire::ReadQuery(body);
    statement.too_long = body.size() < frame.body_length;
    if (statement.too_long || !text.ok()) return;
    statement.use = Use::kQuery;
    statement.text = *text;
    statement.facts = Understand(*text);
  }

  void OnParse(const wire::Frame& frame) {
    RequestStatement& statement = contents_.statements.emplace_back();
    wire::ByteReader body(Body(frame));
    const auto name = body.Text();
    const auto text = body.Text();
    statement.too_long = Body(frame).size() < frame.body_length;
    if (statement.too_long || !name.has_value() || !text.has_value()) return;
    statement.use = Use::kParse;
    statement.text = *text;
    statement.types = body.rest();
    statement.facts = Understand(*text);
    parsed_.push_back({*name, contents_.statements.size() - 1});
  }

  void OnBind(const wire::Frame& frame) {
    wire::ByteReader body(Body(frame));
    const auto portal = body.Text();
    const auto name = body.Text();
    RequestStatement statement;
    if (portal.has_value() && name.has_value()) statement = Named(*name);
    if (statement.facts != nullptr) {
      statement.use = Use::kBind;
      statement.values = body.rest();
      statement.cut = Body(frame).size() < frame.body_length ||
                      portal->size() + name->size() + 2 > wire::kMaxNames;
    }
    contents_.statements.push_back(std::move(statement));
  }

  void OnDescribe(const wire::Frame& frame) {
    wire::ByteReader body(frame.head);
    const auto kind = body.Byte();
    const auto name = body.Text();
    if (kind != kStatement || !name.has_value()) return;
    RequestStatement statement = Named(*name);
    statement.use = Use::kDescribe;
    contents_.statements.push_back(std::move(statement));
  }

  void OnExecute(const wire::Frame& frame) {
    ++contents_.executions;
    wire::ByteReader body(Body(frame));
    body.Text();
    if (body.Int32().value_or(1) != 0) contents_.in_pieces = true;
  }

  // The statement of this name; without facts when there is none.
  RequestStatement Named(std::string_view name) {
    for (auto it = parsed_.rbegin(); it != parsed_.rend(); ++it) {
      if (it->name == name) return contents_.statements[it->statement];
    }
    RequestStatement found;
    if (name.empty()) {
      const SessionState::Unnamed& unnamed = context_.state.unnamed();
      found.facts = unnamed.facts;
      found.too_long = unnamed.number != 0 && unnamed.facts == nullptr;
      found.types = unnamed.types;
      if (unnamed.held) found.text = unnamed.text;
    } else if (const StatementRef* named = context_.state.Find(name); named != nullptr) {
      found.facts = (*named)->facts;
      found.text = (*named)->text;
      found.types = (*named)->types;
      found.not_kept = (*named)->stays() && (*named)->text.empty();
    }
    return found;
  }

  const wire::Bytes request_;
  const ReadingContext& context_;
  RequestContents& contents_;
  absl::InlinedVector<Parsed, 4> parsed_;
};

}  // namespace

RequestContents ReadRequest(wire::Bytes request, const ReadingContext& context) {
  RequestContents contents;
  wire::FrameScanner scanner(wire::ClientHead);
  RequestWalk walk(request, context, contents);
  size_t position = 0;
  wire::Frame frame;
  while (position < request.size()) {
    if (scanner.Next(request, position, frame) != wire::FrameScanner::Step::kFrame) {
      return contents;
    }
    walk.Look(frame);
  }
  contents.complete =
      scanner.at_boundary() && (frame.type == frontend::kQuery || frame.type == frontend::kSync);
  return contents;
}

}  // namespace pgweir::proxy
