#include "proxy/explain_route.h"

#include <algorithm>
#include <memory>

#include "proxy/copy_wish.h"
#include "proxy/request.h"
#include "proxy/shard_route.h"
#include "router/read_verdict.h"
#include "router/statement_cache.h"

namespace pgweir::proxy {
namespace {

using router::NodeId;
using router::Plan;
using router::ReadVerdict;
using Where = ShardRoute::Where;

std::string Rejected(const Status& refusal) {
  std::string text =
      fmt::format("kind: rejected\nwhy: {}: {}\n", SqlStateOf(refusal), MessageOf(refusal));
  if (const std::string hint = HintOf(refusal); !hint.empty()) {
    text += fmt::format("hint: {}\n", hint);
  }
  return text;
}

wire::Parameters Settings() {
  wire::Parameters settings;
  settings.Report("client_encoding", "UTF8");
  settings.Report("standard_conforming_strings", "on");
  return settings;
}

// One statement out of a text, as facts of its own: places in the text stay what they are.
router::FactsRef Only(const router::Facts& facts, size_t index) {
  auto one = std::make_shared<router::Facts>(facts);
  one->statements = {facts.statements[index]};
  one->effects = one->statements[0].effects;
  return one;
}

// What can be said of one statement.
enum class Answer : uint8_t {
  kRefused,
  kSteered,       // by a comment
  kUnknown,       // it depends on a catalog that isn't there
  kByParameters,  // they decide between nodes
  kPlanned,
};

class Explainer {
 public:
  Explainer(const RouteKnowledge& knowledge, std::string_view sql)
      : known_(knowledge), sql_(sql), settings_(Settings()), facts_(statements_.Find(sql)) {
    if (known_.map != nullptr) {
      planner_ = std::make_unique<router::Planner>(known_.map, known_.catalog);
    }
  }

  std::string Explain() {
    std::string text;
    for (size_t i = 0; i < facts_->statements.size(); ++i) {
      if (facts_->statements[i].kind == router::StatementKind::kEmpty) continue;
      text += (text.empty() ? "" : "\n") + ExplainOne(i);
    }
    if (text.empty()) return "there is no statement\n";
    if (planner_ != nullptr && facts_->statements.size() > 1) text += ExplainAll();
    return text;
  }

 private:
  RequestContents Request(router::FactsRef facts) const {
    RequestContents request;
    RequestStatement& statement = request.statements.emplace_back();
    statement.use = RequestStatement::Use::kQuery;
    statement.facts = std::move(facts);
    statement.text = sql_;
    statement.too_long = sql_.size() > RequestReader::kMaxMessage;
    request.executions = 1;
    request.complete = true;
    return request;
  }
  ReadingContext Reading() { return {state_, settings_, statements_}; }
  ShardRoute RouteOf(const RequestContents& request) {
    ShardRoute route;
    RouteToShards(request, Reading(), ShardWishes(), *planner_, route);
    return route;
  }

  std::string ExplainOne(size_t index) {
    const RequestContents request = Request(Only(*facts_, index));
    const std::string statement = StatementText(index);
    std::string text = fmt::format("statement: {}\n", statement);
    const CopyWish wish = WishFor(request);
    if (planner_ == nullptr) {
      const config::Node& node = known_.database.node;
      return text + fmt::format("node: {}\nrole: {}\nsent to {}: {}\n", node.name,
                                RoleOf(index, wish, !node.replicas.empty()), node.name, statement);
    }
    const ShardRoute route = RouteOf(request);
    const Plan plan = planner_->Find(request.statements[0].facts, 0, Values());
    const auto possible = Possible(request);
    const Answer answer = AnswerOf(request, route, plan, possible.has_value());
    router::NodeSet nodes = possible && answer == Answer::kByParameters ? *possible : route.nodes;
    if (route.where == Where::kAnywhere) nodes = known_.map->all_nodes();
    text += Decision(answer, route, plan, nodes);
    if (answer == Answer::kRefused || answer == Answer::kUnknown) return text;
    text += fmt::format("role: {}\n", RoleOf(index, wish, HaveReplicas(nodes)));
    text += Numbers(request);
    if (route.where == Where::kAnywhere || answer == Answer::kByParameters) {
      return text + fmt::format("sent to one of them: {}\n", statement);
    }
    for (const std::string& node : known_.map->NamesOf(nodes)) {
      text += fmt::format("sent to {}: {}\n", node, PartFor(node, route, request, index));
    }
    return text;
  }

  // Of a read over several nodes, each gets its own symbols of a list.
  std::string PartFor(const std::string& node, const ShardRoute& route,
                      const RequestContents& request, size_t index) {
    if (route.where != Where::kConcat) return StatementText(index);
    const NodeId id = known_.map->Find(node).value_or(0);
    return StatementText(index, planner_->Split(request.statements[0].facts, 0, Values(), id));
  }

  Answer AnswerOf(const RequestContents& request, const ShardRoute& route, const Plan& plan,
                  bool by_parameters) {
    const auto hints = router::HintsOf(sql_, Scan());
    const bool refused = route.where == Where::kRefused;
    if (!hints.ok()) return Answer::kRefused;
    if (hints->shard || hints->symbol) return refused ? Answer::kRefused : Answer::kSteered;
    const router::StatementFacts& statement = request.statements[0].facts->statements[0];
    if (known_.catalog == nullptr && DependsOnCatalog(plan, statement, by_parameters)) {
      return Answer::kUnknown;
    }
    if (by_parameters) return Answer::kByParameters;
    return refused ? Answer::kRefused : Answer::kPlanned;
  }

  // Whether it may be another plan once the catalog is known. What the map lists is what it says.
  bool DependsOnCatalog(const Plan& plan, const router::StatementFacts& statement,
                        bool by_parameters) const {
    if (plan.why == Plan::Why::kSystem || plan.why == Plan::Why::kSequence) return false;
    const bool listed = std::all_of(statement.relations.begin(), statement.relations.end(),
                                    [&](const router::Relation& relation) {
                                      return known_.map->PlaceOf(relation.name).placement !=
                                             router::Placement::kUnlisted;
                                    });
    if (!listed) return true;
    return !by_parameters &&
           (plan.kind == Plan::Kind::kReject || plan.kind == Plan::Kind::kConcat ||
            plan.kind == Plan::Kind::kDefault);
  }

  // Nodes, kind and why.
  std::string Decision(Answer answer, const ShardRoute& route, const Plan& plan,
                       const router::NodeSet& nodes) const {
    std::string text;
    switch (answer) {
      case Answer::kRefused:
        return Rejected(route.refusal);
      case Answer::kUnknown:
        return "node: unknown\nkind: unknown\nwhy: it depends on the catalog, which is not "
               "known\n";
      case Answer::kPlanned:
        return router::Explain(plan, *known_.map);
      case Answer::kSteered:
        return fmt::format("node: {}\nkind: steered\nwhy: a comment says so\n",
                           known_.map->NameOf(route.node));
      case Answer::kByParameters:
        for (const std::string& node : known_.map->NamesOf(nodes))
          text += fmt::format("node: {}\n", node);
        return text + "kind: by parameters\nwhy: its parameters decide which of these\n";
    }
    return text;
  }

  // Sent together, which is what a simple query does.
  std::string ExplainAll() {
    const ShardRoute route = RouteOf(Request(facts_));
    if (route.where != Where::kRefused) return "";
    return "\nall of them in one request:\n" + Rejected(route.refusal);
  }

  // Those that are put into the statement before it is sent.
  std::string Numbers(const RequestContents& request) {
    const router::DrawnNumbersRef drawn = planner_->Drawn(request.statements[0].facts, 0);
    std::string text;
    if (drawn == nullptr) return text;
    for (const router::DrawnNumbers::Column& column : drawn->columns) {
      text += fmt::format("numbers: of {}, drawn on the node {}\n", column.sequence,
                          known_.map->NameOf(known_.map->default_node()));
    }
    return text;
  }

  std::string RoleOf(size_t index, const CopyWish& wish, bool replicas) const {
    using Role = CopyWish::Role;
    if (!replicas) return "primary (there are no replicas)";
    const std::string which =
        wish.label.empty() ? "any replica" : fmt::format("any replica for \"{}\"", wish.label);
    if (wish.role == Role::kPrimary) return fmt::format("primary ({})", wish.why);
    if (wish.role == Role::kReplica) return fmt::format("{} ({})", which, wish.why);
    if (known_.database.consistency == config::Consistency::kPrimary) {
      return "primary (consistency is \"primary\")";
    }
    const router::StatementFacts& statement = facts_->statements[index];
    if (statement.begins_read_only) return which + " (its transaction only reads)";
    if (!facts_->not_understood.empty()) return "primary (it is not understood)";
    const ReadVerdict verdict = Judge(statement);
    if (verdict == ReadVerdict::kRead) {
      return fmt::format("{} (it {})", which, router::Describe(verdict));
    }
    const bool by_catalog = verdict != ReadVerdict::kNoQuery && verdict != ReadVerdict::kAsksServer;
    if (known_.catalog == nullptr && by_catalog) return "unknown (the catalog is not known)";
    return fmt::format("primary (it {})", router::Describe(verdict));
  }

  // Without a catalog, by one that is empty.
  ReadVerdict Judge(const router::StatementFacts& statement) const {
    return router::JudgeRead(statement,
                             known_.catalog != nullptr ? *known_.catalog : router::Catalog());
  }

  CopyWish WishFor(const RequestContents& request) {
    auto wish = WishOf(request, Reading(), known_.database.labels, {known_.user, ""});
    return wish.ok() ? *std::move(wish) : CopyWish();  // then the route is refused as well
  }

  const router::SqlScan& Scan() { return statements_.ScanOf(sql_); }
  router::BoundValues Values() { return router::BoundValues(sql_, Scan().literals()); }

  std::optional<router::NodeSet> Possible(const RequestContents& request) {
    const auto route =
        router::MakeTemplate(*request.statements[0].facts, 0, known_.catalog.get(), *known_.map);
    return router::PossibleNodes(route, *known_.map, Values());
  }

  // Without what stands before and behind it.
  std::string StatementText(size_t index, const router::ListSplit& split = {}) {
    const router::StatementFacts& statement = facts_->statements[index];
    const auto tokens = Scan().tokens();
    const size_t end = statement.first_token + statement.tokens;
    const std::string text = router::Edited(sql_, split.text);
    if (statement.tokens == 0 || end > tokens.size()) return text;
    const size_t before = tokens[statement.first_token].span.offset;
    const router::Span last = tokens[end - 1].span;
    const size_t behind = sql_.size() - last.offset - last.length;
    return text.substr(before, text.size() - before - behind);
  }

  bool HaveReplicas(const router::NodeSet& nodes) const {
    for (const std::string& name : known_.map->NamesOf(nodes)) {
      const config::Node* const node = known_.database.FindNode(name);
      if (node != nullptr && !node->replicas.empty()) return true;
    }
    return false;
  }

  const RouteKnowledge& known_;
  const std::string_view sql_;
  const wire::Parameters settings_;
  const SessionState state_;
  router::StatementCache statements_;
  const router::FactsRef facts_;
  std::unique_ptr<router::Planner> planner_;  // null without a map
};

}  // namespace

std::string ExplainRoute(const RouteKnowledge& knowledge, std::string_view sql) {
  return Explainer(knowledge, sql).Explain();
}

}  // namespace pgweir::proxy
