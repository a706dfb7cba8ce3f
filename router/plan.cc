#include "router/plan.h"

#include <string_view>

#include <spdlog/fmt/fmt.h>

namespace pgweir::router {
namespace {

std::string_view Word(Plan::Kind kind) {
  switch (kind) {
    case Plan::Kind::kAnywhere:
      return "anywhere";
    case Plan::Kind::kSingle:
      return "single";
    case Plan::Kind::kConcat:
      return "concat";
    case Plan::Kind::kReplicated:
      return "replicated";
    case Plan::Kind::kDefault:
      return "default";
    case Plan::Kind::kEverywhere:
      return "everywhere";
    case Plan::Kind::kReject:
      return "rejected";
  }
  return "";
}

std::string_view Reason(Plan::Why why) {
  switch (why) {
    case Plan::Why::kNone:
      return "";
    case Plan::Why::kSymbols:
      return "its conditions allow only symbols that lie there";
    case Plan::Why::kOneNode:
      return "the shard map has this node only";
    case Plan::Why::kNoSymbol:
      return "no symbol fits its conditions";
    case Plan::Why::kNoCondition:
      return "no condition restricts its symbols";
    case Plan::Why::kInserted:
      return "the symbols of its rows lie there";
    case Plan::Why::kUnlisted:
      return "tables that the shard map doesn't list lie there";
    case Plan::Why::kSystem:
      return "system catalogs are read there";
    case Plan::Why::kSequence:
      return "sequences, advisory locks and large objects lie there";
    case Plan::Why::kFunction:
      return "what it runs may do anything, and does it there";
    case Plan::Why::kReplicatedOnly:
      return "its tables are replicated";
    case Plan::Why::kNoTable:
      return "it touches no table";
    case Plan::Why::kSchema:
      return "it changes what every node has";
  }
  return "";
}

}  // namespace

std::string Explain(const Plan& plan, const ShardMap& map) {
  if (plan.kind == Plan::Kind::kReject) {
    std::string text = fmt::format("kind: rejected\nwhy: {}: {}\n", plan.sqlstate, plan.message);
    if (!plan.hint.empty()) text += fmt::format("hint: {}\n", plan.hint);
    return text;
  }
  std::string text;
  for (const std::string& node : map.NamesOf(plan.nodes)) text += fmt::format("node: {}\n", node);
  return text + fmt::format("kind: {}\nwhy: {}\n", Word(plan.kind), Reason(plan.why));
}

}  // namespace pgweir::router
