// Arrays are read back as they were written, whatever bytes come, and hints and plans are made of
// any text without a fault.

#include <cstdint>
#include <cstdlib>

#include "router/hints.h"
#include "router/text_array.h"
#include "router/text_types.h"
#include "tests/router/routed.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pgweir::router;
  static test::Routed routed;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& array : {ParseTextArray(text), DecodeTextArray(text)}) {
    if (!array) continue;
    if (ParseTextArray(FormatTextArray(*array)) != array) std::abort();
    if (DecodeTextArray(EncodeTextArray(*array, kTextOid)) != array) std::abort();
  }
  SqlScan scan;
  scan.Scan(text);
  const auto hints = HintsOf(text, scan);
  if (hints.ok() && !HintedNode(*hints, routed.map()).ok() && !hints->shard) std::abort();
  const Plan plan = routed.PlanOf(text, {test::Text("BTC"), test::Text("{BTC}", kTextArrayOid)});
  if (plan.kind != Plan::Kind::kReject && plan.nodes.empty()) std::abort();
  return 0;
}
