#include "router/route_template.h"

#include <algorithm>
#include <utility>

#include <spdlog/fmt/fmt.h>
#include "router/route_builder.h"

namespace pgweir::router {
namespace {

RouteTemplate Fixed(Plan plan) {
  RouteTemplate route;
  route.fixed = true;
  route.plan = std::move(plan);
  return route;
}

RouteTemplate Reject(std::string message, std::string hint) {
  Plan plan;
  plan.message = std::move(message);
  plan.hint = std::move(hint);
  return Fixed(std::move(plan));
}

// Keeps its state on the default node: sequences, advisory locks, large objects.
bool IsKeptOnOneNode(const QualifiedName& function) {
  if (!function.schema.empty() && function.schema != "pg_catalog") return false;
  const std::string& name = function.name;
  for (const char* sequence : {"nextval", "currval", "setval", "lastval", "loread", "lowrite"}) {
    if (name == sequence) return true;
  }
  return name.starts_with("lo_") ||
         (name.starts_with("pg_") && name.find("advisory") != std::string::npos);
}

class TemplateMaker {
 public:
  TemplateMaker(const Facts& facts, const StatementFacts& statement, const Catalog* catalog,
                const ShardMap& map)
      : facts_(facts), statement_(statement), catalog_(catalog), map_(map) {}

  RouteTemplate Make();

 private:
  RouteTemplate OfQuery();
  RouteTemplate OfWholeQuery(std::string_view what);
  RouteTemplate OfPrepare();
  RouteTemplate OfCopy();
  RouteTemplate OfCreateTableAs();
  RouteTemplate OfSchema();
  RouteTemplate NotUnderstood();

  RouteTemplate OnDefault(Plan::Why why) const;
  RouteTemplate Anywhere() const;
  RouteTemplate Everywhere() const;
  bool IsListed(const Relation& relation) const;
  bool IsListed(const CatalogRelation& relation, int depth) const;
  bool CallsUsers() const;

  const Facts& facts_;
  const StatementFacts& statement_;
  const Catalog* catalog_;
  const ShardMap& map_;
};

RouteTemplate TemplateMaker::Make() {
  if (!facts_.not_understood.empty()) return NotUnderstood();
  switch (statement_.kind) {
    case StatementKind::kSelect:
    case StatementKind::kInsert:
    case StatementKind::kUpdate:
    case StatementKind::kDelete:
    case StatementKind::kMerge:
      return OfQuery();
    case StatementKind::kExplain:
      return OfWholeQuery("EXPLAIN");
    case StatementKind::kCursor:
      return statement_.shape ? OfWholeQuery("DECLARE CURSOR") : Anywhere();
    case StatementKind::kPrepare:
      return OfPrepare();
    case StatementKind::kCopy:
      return OfCopy();
    case StatementKind::kEmpty:
    case StatementKind::kShow:
    case StatementKind::kSet:
    case StatementKind::kTransaction:
    case StatementKind::kDeallocate:
    case StatementKind::kDiscard:
      return Anywhere();
    case StatementKind::kExecute:
    case StatementKind::kListen:
    case StatementKind::kCall:
    case StatementKind::kUnknown:
      return OnDefault(Plan::Why::kFunction);
    case StatementKind::kLock:
    case StatementKind::kDdl:
    case StatementKind::kUtility:
      return statement_.shape ? OfCreateTableAs() : OfSchema();
  }
  return OnDefault(Plan::Why::kFunction);
}

RouteTemplate TemplateMaker::OfQuery() {
  if (statement_.shape == nullptr) return OnDefault(Plan::Why::kFunction);
  const bool into = (statement_.shape->features & QueryShape::kInto) != 0;
  if (into) return OfCreateTableAs();
  RouteTemplate route = RouteBuilder(catalog_, map_).Build(*statement_.shape);
  for (const QualifiedName& function : statement_.functions) {
    if (!IsKeptOnOneNode(function)) continue;
    if (route.fixed && route.plan.kind != Plan::Kind::kReject) {
      return OnDefault(Plan::Why::kSequence);
    }
    if (route.elsewhere != Plan::Why::kNone) continue;
    route.elsewhere = Plan::Why::kSequence;
    route.elsewhere_name = function.name;
  }
  const bool anywhere = route.fixed && route.plan.kind == Plan::Kind::kAnywhere;
  return anywhere && CallsUsers() ? OnDefault(Plan::Why::kFunction) : std::move(route);
}

// A query whose answer isn't its rows, or comes in pieces.
RouteTemplate TemplateMaker::OfWholeQuery(std::string_view what) {
  if (statement_.shape == nullptr) return OnDefault(Plan::Why::kFunction);
  RouteTemplate route = OfQuery();
  if (route.drawn != nullptr) {
    return Reject(WhyNotDrawn(route.drawn->columns[0].name, route.drawn->table, kNoPlainInsert),
                  kGiveNumber);
  }
  if (route.no_concat.empty()) route.no_concat = fmt::format("it is the query of {}", what);
  return route;
}

RouteTemplate TemplateMaker::OfPrepare() {
  const bool listed = std::any_of(statement_.relations.begin(), statement_.relations.end(),
                                  [this](const Relation& relation) { return IsListed(relation); });
  if (!listed) return OnDefault(Plan::Why::kFunction);
  return Reject("PREPARE of a statement on sharded or replicated tables",
                "Prepare it by the protocol, as drivers do, or send it whole.");
}

RouteTemplate TemplateMaker::OfCopy() {
  if (statement_.shape) return OfWholeQuery("COPY");
  if (statement_.relations.empty()) return OnDefault(Plan::Why::kFunction);
  const Relation& table = statement_.relations[0];
  if (!IsListed(table)) return OnDefault(Plan::Why::kUnlisted);
  if (map_.all_nodes().size() == 1) {
    Plan plan;
    plan.kind = Plan::Kind::kSingle;
    plan.why = Plan::Why::kOneNode;
    plan.node = map_.default_node();
    plan.nodes = map_.all_nodes();
    plan.writes = table.written;
    return Fixed(std::move(plan));
  }
  return Reject(fmt::format("COPY {} the table \"{}\", which lies on several nodes",
                            table.written ? "into" : "from", table.name.name),
                table.written ? "Use INSERT, or steer it to a node: /* pgweir: shard=NAME */"
                              : "Use COPY (SELECT … WHERE symbol = '…') TO, or steer it to a node: "
                                "/* pgweir: shard=NAME */");
}

// The new table is where its rows are made, and has to be where the map puts it.
RouteTemplate TemplateMaker::OfCreateTableAs() {
  for (const Relation& relation : statement_.relations) {
    if (!relation.written || !IsListed(relation)) continue;
    return Reject(fmt::format("CREATE TABLE AS of the listed table \"{}\"", relation.name.name),
                  "Create the table, then insert its rows.");
  }
  RouteTemplate route = RouteBuilder(catalog_, map_).Build(*statement_.shape);
  if (route.fixed && route.plan.kind != Plan::Kind::kReject) {
    return OnDefault(Plan::Why::kUnlisted);
  }
  route.elsewhere = Plan::Why::kUnlisted;
  route.elsewhere_name = "the new table";
  return route;
}

RouteTemplate TemplateMaker::OfSchema() {
  if (statement_.names == Names::kServer) return OnDefault(Plan::Why::kUnlisted);
  // What is the session's alone.
  if ((statement_.effects & (kTemporary | kLoads)) != 0) return OnDefault(Plan::Why::kFunction);
  std::vector<const Relation*> named;
  for (const Relation& relation : statement_.relations) {
    if (relation.written) named.push_back(&relation);
  }
  // Without any, those that VACUUM and its kin have deeper in them, or that a view would read.
  if (named.empty()) {
    for (const Relation& relation : statement_.relations) named.push_back(&relation);
  }
  if (named.empty()) return Everywhere();
  // An index that isn't known may be one of any table; where it isn't, the server says so.
  const auto unknown_index = [this](const Relation* relation) {
    return statement_.names == Names::kIndexes && relation->written && catalog_ != nullptr &&
           catalog_->FindByIndex(relation->name).empty();
  };
  if (std::any_of(named.begin(), named.end(), unknown_index)) return Everywhere();
  const Relation* listed = nullptr;
  const Relation* unlisted = nullptr;
  for (const Relation* relation : named) (IsListed(*relation) ? listed : unlisted) = relation;
  // A new table that inherits from a listed one, or is a partition of it, is one of its own.
  const bool creates = named.size() < statement_.relations.size() || listed != nullptr;
  if (listed != nullptr && unlisted != nullptr && named.size() > 1) {
    const bool is_new = catalog_ != nullptr && catalog_->Find(unlisted->name).empty();
    if (is_new) return Everywhere();
    return Reject(fmt::format("\"{}\" lies on every node, \"{}\" only on {}", listed->name.name,
                              unlisted->name.name, map_.NameOf(map_.default_node())),
                  "Use a statement for each.");
  }
  if (listed != nullptr) return Everywhere();
  // A view is wanted wherever its tables are.
  const bool reads = creates && statement_.kind == StatementKind::kDdl;
  bool of_listed = false;
  bool of_others = false;
  for (const Relation& relation : statement_.relations) {
    if (relation.written) continue;
    (IsListed(relation) ? of_listed : of_others) = true;
  }
  return reads && of_listed && !of_others ? Everywhere() : OnDefault(Plan::Why::kUnlisted);
}

// What the grammar doesn't know may still be SQL of a newer server, and then on any table.
RouteTemplate TemplateMaker::NotUnderstood() {
  for (const std::string& word : facts_.words) {
    bool known = map_.Lists(word);
    for (const CatalogRelation* relation :
         catalog_ ? catalog_->Find({"", word}) : std::vector<const CatalogRelation*>()) {
      known = known || IsListed(*relation, 0);
    }
    if (!known) continue;
    return Reject(fmt::format("statement on \"{}\", which lies on several nodes, is not "
                              "understood: {}",
                              word, facts_.not_understood),
                  "Steer it to a node: /* pgweir: shard=NAME */");
  }
  return OnDefault(Plan::Why::kFunction);
}

RouteTemplate TemplateMaker::OnDefault(Plan::Why why) const {
  Plan plan;
  plan.kind = Plan::Kind::kDefault;
  plan.why = why;
  plan.node = map_.default_node();
  plan.nodes = NodeSet::Of(plan.node);
  return Fixed(std::move(plan));
}

RouteTemplate TemplateMaker::Anywhere() const {
  Plan plan;
  plan.kind = Plan::Kind::kAnywhere;
  plan.why = Plan::Why::kNoTable;
  plan.nodes = map_.all_nodes();
  return Fixed(std::move(plan));
}

RouteTemplate TemplateMaker::Everywhere() const {
  Plan plan;
  plan.kind = Plan::Kind::kEverywhere;
  plan.why = Plan::Why::kSchema;
  for (size_t node = 0; node < map_.nodes().size(); ++node) {
    plan.nodes.Add(static_cast<NodeId>(node));
  }
  return Fixed(std::move(plan));
}

bool TemplateMaker::IsListed(const Relation& relation) const {
  const bool index = statement_.names == Names::kIndexes && relation.written;
  std::vector<const CatalogRelation*> candidates;
  if (catalog_) {
    candidates = index ? catalog_->FindByIndex(relation.name) : catalog_->Find(relation.name);
  }
  if (candidates.empty()) {
    return !index && (map_.PlaceOf(relation.name).placement != Placement::kUnlisted ||
                      (relation.name.schema.empty() && map_.Lists(relation.name.name)));
  }
  return std::any_of(candidates.begin(), candidates.end(),
                     [this](const CatalogRelation* found) { return IsListed(*found, 0); });
}

// Itself, a table it is a partition of, or, of a view, any table that it shows.
bool TemplateMaker::IsListed(const CatalogRelation& relation, int depth) const {
  constexpr int kMaxDepth = 100;
  if (depth > kMaxDepth) return false;
  if (map_.PlaceOf(relation.name).placement != Placement::kUnlisted) return true;
  if (relation.kind == 'v') {
    RouteBuilder builder(catalog_, map_);
    return builder.ReadsListed(relation);
  }
  return std::any_of(relation.parents.begin(), relation.parents.end(), [&](uint32_t parent) {
    return IsListed(catalog_->relations()[parent], depth + 1);
  });
}

bool TemplateMaker::CallsUsers() const {
  return std::any_of(statement_.functions.begin(), statement_.functions.end(),
                     [this](const QualifiedName& function) {
                       if (!function.schema.empty()) return function.schema != "pg_catalog";
                       return catalog_ == nullptr ||
                              catalog_->VolatilityOf({"pg_catalog", function.name}) == nullptr;
                     });
}

}  // namespace

RouteTemplate MakeTemplate(const Facts& facts, size_t statement, const Catalog* catalog,
                           const ShardMap& map) {
  return TemplateMaker(facts, facts.statements[statement], catalog, map).Make();
}

}  // namespace pgweir::router
