#include "router/placement_report.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include <spdlog/fmt/fmt.h>

namespace pgweir::router {
namespace {

using Severity = PlacementFinding::Severity;

// All that tells two findings apart, in the order of a report.
auto Order(const PlacementFinding& finding) {
  return std::tie(finding.severity, finding.table, finding.message, finding.advice, finding.node);
}

// What every node says is said once.
std::vector<PlacementFinding> Joined(std::vector<PlacementFinding> findings, size_t nodes) {
  const auto alike = [](const PlacementFinding& a, const PlacementFinding& b) {
    return a.severity == b.severity && a.table == b.table && a.message == b.message &&
           a.advice == b.advice;
  };
  std::sort(findings.begin(), findings.end(),
            [](const auto& a, const auto& b) { return Order(a) < Order(b); });
  std::vector<PlacementFinding> joined;
  for (auto first = findings.begin(); first != findings.end();) {
    const auto last = std::find_if_not(first, findings.end(),
                                       [&](const auto& other) { return alike(*first, other); });
    const bool everywhere = nodes > 1 && static_cast<size_t>(last - first) == nodes;
    joined.insert(joined.end(), first, everywhere ? first + 1 : last);
    if (everywhere) joined.back().node.clear();
    first = last;
  }
  return joined;
}

std::string_view Name(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kNote:
      return "note";
  }
  return "";
}

}  // namespace

StatusOr<std::vector<PlacementFinding>> ReportPlacement(const ShardMap& map,
                                                        std::span<const NodePlacement> nodes) {
  std::vector<PlacementFinding> findings;
  if (map.nodes().size() == 1) return findings;
  std::vector<NodeTables> read;
  for (const NodePlacement& node : nodes) {
    auto tables = ReadTables(node.node, node.rows, map);
    if (!tables.ok()) return tables.status();
    std::ranges::move(FindFaults(map, *tables), std::back_inserter(findings));
    read.push_back(*std::move(tables));
  }
  std::ranges::move(FindDifferences(map, read), std::back_inserter(findings));
  return Joined(std::move(findings), nodes.size());
}

std::string Describe(const PlacementFinding& finding) {
  std::string where = finding.table.empty() ? "database" : "table " + finding.table;
  if (!finding.node.empty()) where += " on node " + finding.node;
  return fmt::format("{}: {}: {}. {}", Name(finding.severity), where, finding.message,
                     finding.advice);
}

}  // namespace pgweir::router
