#include "proxy/schema_change.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "base/strings.h"
#include "router/statement_cache.h"
#include "wire/byte_reader.h"
#include "wire/frame_scanner.h"
#include "wire/messages.h"
#include "wire/result_messages.h"

namespace pgweir::proxy {
namespace {

namespace frontend = wire::frontend;
using router::Token;

bool IsWord(const Token& token, std::string_view text, std::string_view word) {
  return token.kind == router::TokenKind::kWord &&
         absl::EqualsIgnoreCase(ToAbsl(token.span.In(text)), ToAbsl(word));
}

// Those that refuse a transaction around them.
bool NeedsToBeAlone(std::string_view text, std::span<const Token> tokens) {
  if (tokens.empty()) return false;
  if (IsWord(tokens[0], text, "vacuum") || IsWord(tokens[0], text, "reindex")) return true;
  return std::ranges::any_of(
      tokens, [text](const Token& token) { return IsWord(token, text, "concurrently"); });
}

Status Refused(std::string_view what) {
  return Errorf(sqlstate::kFeatureNotSupported, "a statement on the schema of every node {}", what);
}

}  // namespace

StatusOr<SchemaChange> SchemaChangeOf(const RequestContents& request,
                                      const ReadingContext& context) {
  const auto done = std::ranges::find_if(
      request.statements, [](const RequestStatement& one) { return one.carried_out(); });
  if (done == request.statements.end()) return Refused("that isn't carried out");
  if ((done->facts->effects & router::kTemporary) != 0) return Refused("with a temporary object");
  if (done->facts->parameters > 0) return Refused("with parameters");
  SchemaChange change{.sql = std::string(done->text)};
  const router::SqlScan& scan =
      context.statements.ScanOf(done->text, context.settings.standard_strings());
  change.one_by_one = NeedsToBeAlone(done->text, scan.tokens());
  return change;
}

std::string AnswerTo(wire::Bytes request, std::string_view tag) {
  std::string answer;
  wire::FrameScanner scanner(wire::ClientHead);
  size_t position = 0;
  wire::Frame frame;
  while (scanner.Next(request, position, frame) == wire::FrameScanner::Step::kFrame) {
    switch (frame.type) {
      case frontend::kQuery:
        wire::AppendCommandComplete(answer, tag);
        wire::AppendReadyForQuery(answer, wire::TransactionStatus::kIdle);
        break;
      case frontend::kParse:
        wire::AppendParseComplete(answer);
        break;
      case frontend::kBind:
        wire::AppendBindComplete(answer);
        break;
      case frontend::kDescribe:
        if (wire::ByteReader(frame.head).Byte() == 'S') wire::AppendParameterDescription(answer);
        wire::AppendNoData(answer);
        break;
      case frontend::kExecute:
        wire::AppendCommandComplete(answer, tag);
        break;
      case frontend::kClose:
        wire::AppendCloseComplete(answer);
        break;
      case frontend::kSync:
        wire::AppendReadyForQuery(answer, wire::TransactionStatus::kIdle);
        break;
      default:
        break;
    }
  }
  return answer;
}

}  // namespace pgweir::proxy
