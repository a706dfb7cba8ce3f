#include "proxy/split_request.h"

#include <algorithm>

#include "proxy/bound_parameters.h"
#include "proxy/splice.h"
#include "router/statement_cache.h"
#include "wire/byte_reader.h"
#include "wire/frame_scanner.h"
#include "wire/message_writer.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

namespace frontend = wire::frontend;

// `body` of a Bind with other bytes for some of its parameters.
void AppendBindWith(std::string& out, std::string_view body,
                    const std::vector<router::ListSplit::ParameterEdit>& edits) {
  wire::ByteReader reader(wire::AsBytes(body));
  reader.Text();
  reader.Text();
  reader.Take(size_t{2} * reader.Int16().value_or(0));
  const size_t count = reader.Int16().value_or(0);
  wire::MessageWriter message(out, frontend::kBind);
  message.Raw(body.substr(0, body.size() - reader.rest().size()));
  for (size_t i = 1; i <= count; ++i) {
    const std::string_view from = reader.rest();
    const uint32_t length = reader.Int32().value_or(UINT32_MAX);
    if (length != UINT32_MAX) reader.Take(length);
    const auto edit = std::ranges::find_if(
        edits, [i](const auto& one) { return one.number == static_cast<int>(i); });
    if (edit == edits.end()) {
      message.Raw(from.substr(0, from.size() - reader.rest().size()));
    } else {
      message.Int32(static_cast<uint32_t>(edit->bytes.size()));
      message.Raw(edit->bytes);
    }
  }
  message.Raw(reader.rest());
}

}  // namespace

RequestPart SplitRequest(wire::Bytes request, const ReadingContext& context,
                         router::Planner& planner, router::NodeId node) {
  RequestPart part;
  const RequestContents contents = ReadRequest(request, context);
  const auto read = std::ranges::find_if(
      contents.statements, [](const RequestStatement& one) { return one.carried_out(); });
  if (read == contents.statements.end()) return part;
  const router::SqlScan& scan =
      context.statements.ScanOf(read->text, context.settings.standard_strings());
  const BoundParameters parameters = ReadParameters(read->values, read->types);
  const router::BoundValues values(read->text, scan.literals(), parameters,
                                   context.settings.utf8());
  const router::ListSplit split = planner.Split(read->facts, 0, values, node);
  const char type = read->use == RequestStatement::Use::kQuery ? frontend::kQuery : frontend::kBind;
  if (type == frontend::kBind && !split.text.empty()) {
    part.text = {std::string(read->text), router::Edited(read->text, split.text)};
  }
  if (type == frontend::kQuery ? split.text.empty() : split.parameters.empty()) return part;

  std::string buffer;
  Splice out(request, buffer);
  wire::FrameScanner scanner(wire::ClientHead);
  size_t position = 0;
  wire::Frame frame;
  while (scanner.Next(request, position, frame) == wire::FrameScanner::Step::kFrame) {
    if (frame.type != type) continue;
    std::string& instead = out.Replace(frame.offset, frame.end());
    if (type == frontend::kQuery) {
      wire::AppendQuery(instead, router::Edited(read->text, split.text));
    } else {
      const wire::Bytes body = request.subspan(frame.offset + wire::kHeaderSize, frame.body_length);
      AppendBindWith(instead, wire::AsText(body), split.parameters);
    }
  }
  part.request = wire::AsText(out.Result(request.size()));
  return part;
}

}  // namespace pgweir::proxy
