#include "router/view_shape.h"

#include "router/depth.h"
#include "router/literal_value.h"
#include "router/parse_tree.h"
#include "router/shape_builder.h"

namespace pgweir::router {

ViewShape ReadView(std::string_view definition) {
  ViewShape view;
  SqlScan scan;
  scan.Scan(definition);
  if (!scan.complete() || scan.normalised().find('\0') != std::string_view::npos) return view;
  const Depth depth = MeasureDepth(scan);
  if (depth.nesting > kMaxNesting || depth.depth > kMaxDepth) return view;
  WithParseTree(scan.normalised(), [&](const PgQuery__ParseResult& tree) {
    if (tree.n_stmts == 1) view.query = ShapeBuilder(scan).Build(tree.stmts[0]->stmt);
  });
  for (const Literal& literal : scan.literals()) {
    const bool text = literal.kind <= LiteralKind::kDollar;
    const auto value = text ? LiteralValue(definition, literal) : std::nullopt;
    view.literals.push_back(value.value_or(std::string(kNoText)));
  }
  return view;
}

}  // namespace pgweir::router
