#include "proxy/request_route.h"

#include <vector>

#include "wire/byte_reader.h"
#include "wire/frame_scanner.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

using router::ReadVerdict;
using Role = RequestRoute::Role;
namespace frontend = wire::frontend;

// Looks at the messages of one request, in order.
class RequestWalk {
 public:
  explicit RequestWalk(const RouteContext& context) : context_(context) {}

  // Why it is not surely a read; kRead while it is.
  ReadVerdict Look(const wire::Frame& frame) {
    switch (frame.type) {
      case frontend::kQuery: {
        const auto text = wire::ReadQuery(frame.head);
        return frame.whole() && text.ok() ? Judge(Understand(*text)) : ReadVerdict::kNoQuery;
      }
      case frontend::kParse:
        return OnParse(frame);
      case frontend::kBind: {
        wire::ByteReader body(frame.head);
        const auto portal = body.Text();
        const auto statement = body.Text();
        return portal.has_value() && statement.has_value() ? JudgeNamed(*statement)
                                                           : ReadVerdict::kNoQuery;
      }
      case frontend::kDescribe:
      case frontend::kExecute:
      case frontend::kClose:
      case frontend::kSync:
      case frontend::kFlush:
        return ReadVerdict::kRead;
      default:
        return ReadVerdict::kNoQuery;  // FunctionCall, and what belongs to a COPY
    }
  }

 private:
  struct Parsed {
    std::string_view name;
    router::FactsRef facts;
  };

  router::FactsRef Understand(std::string_view text) {
    return context_.tools.statements.Find(text, context_.settings.standard_strings());
  }

  ReadVerdict Judge(const router::FactsRef& facts) {
    return context_.tools.catalogs.OfReads(context_.catalog, facts);
  }

  ReadVerdict OnParse(const wire::Frame& frame) {
    wire::ByteReader body(frame.head);
    const auto name = body.Text();
    const auto text = body.Text();
    if (!frame.whole() || !name.has_value() || !text.has_value()) return ReadVerdict::kNoQuery;
    parsed_.push_back({*name, Understand(*text)});
    return Judge(parsed_.back().facts);
  }

  ReadVerdict JudgeNamed(std::string_view name) {
    for (auto it = parsed_.rbegin(); it != parsed_.rend(); ++it) {
      if (it->name == name) return Judge(it->facts);
    }
    if (name.empty()) {
      const SessionState::Unnamed& unnamed = context_.state.unnamed();
      return unnamed.facts == nullptr ? ReadVerdict::kNoQuery : Judge(unnamed.facts);
    }
    const StatementRef* statement = context_.state.Find(name);
    return statement == nullptr || (*statement)->facts == nullptr ? ReadVerdict::kNoQuery
                                                                  : Judge((*statement)->facts);
  }

  const RouteContext& context_;
  std::vector<Parsed> parsed_;
};

// By the request's statements alone.
ReadVerdict JudgeRequest(wire::Bytes request, const RouteContext& context) {
  if (!context.settings.ascii_superset()) return ReadVerdict::kNoQuery;
  wire::FrameScanner scanner(wire::ClientHead);
  RequestWalk walk(context);
  size_t position = 0;
  wire::Frame frame;
  while (position < request.size()) {
    if (scanner.Next(request, position, frame) != wire::FrameScanner::Step::kFrame) {
      return ReadVerdict::kNoQuery;
    }
    const ReadVerdict verdict = walk.Look(frame);
    if (verdict != ReadVerdict::kRead) return verdict;
  }
  // A batch without its Sync goes on with nobody knows what.
  const bool complete = frame.type == frontend::kQuery || frame.type == frontend::kSync;
  return scanner.at_boundary() && complete ? ReadVerdict::kRead : ReadVerdict::kNoQuery;
}

}  // namespace

RequestRoute RouteOf(wire::Bytes request, const RouteContext& context) {
  // A standby has no SERIALIZABLE.
  const std::string* isolation = context.settings.FindUnreported("default_transaction_isolation");
  if (isolation != nullptr && *isolation == "serializable") {
    return {.role = Role::kPrimary, .why = "default_transaction_isolation is serializable"};
  }
  const ReadVerdict verdict = JudgeRequest(request, context);
  return {.role = verdict == ReadVerdict::kRead ? Role::kAnyCopy : Role::kPrimary,
          .why = router::Describe(verdict)};
}

}  // namespace pgweir::proxy
