// A client's request, whatever its bytes, is taken apart, routed and split without a fault.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/request_contents.h"
#include "proxy/schema_change.h"
#include "proxy/shard_route.h"
#include "proxy/split_request.h"
#include "tests/router/routed.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pgweir;
  static router::test::Routed routed;
  static router::StatementCache statements(size_t{64} << 10);
  static const wire::Parameters settings = [] {
    wire::Parameters utf8;
    utf8.Report("client_encoding", "UTF8");
    return utf8;
  }();
  const proxy::SessionState state;
  const proxy::ReadingContext context{state, settings, statements};
  const wire::Bytes request = std::as_bytes(std::span(data, size));
  const proxy::RequestContents contents = proxy::ReadRequest(request, context);
  proxy::ShardWishes wishes;
  proxy::ShardRoute route;
  proxy::RouteToShards(contents, context, wishes, routed.planner(), route);
  proxy::NoteWishes(contents, context, wishes);
  const bool several = route.where == proxy::ShardRoute::Where::kConcat;
  if (several && route.nodes.size() < 2) std::abort();
  if (several) proxy::SplitRequest(request, context, routed.planner(), route.nodes.first());
  if (route.where == proxy::ShardRoute::Where::kEverywhere) {
    if (proxy::SchemaChangeOf(contents, context).ok()) proxy::AnswerTo(request, "ALTER TABLE");
  }
  return 0;
}
