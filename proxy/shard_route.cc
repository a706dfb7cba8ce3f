#include "proxy/shard_route.h"

#include <algorithm>
#include <utility>

#include "proxy/bound_parameters.h"
#include "proxy/numbered_statement.h"
#include "router/literal_value.h"
#include "router/statement_cache.h"
#include "wire/frame_scanner.h"

namespace pgweir::proxy {
namespace {

using router::NodeId;
using router::Plan;
using Use = RequestStatement::Use;
using Where = ShardRoute::Where;

constexpr std::string_view kPrefix = "pgweir.";

// Effects of a statement on its transaction or session that it has anywhere.
constexpr uint32_t kOfTheSession = router::kSetsSetting | router::kResetsAll | router::kTransaction;

Status Refusal(std::string_view message, std::string_view hint = "") {
  return WithHint(Error(sqlstate::kFeatureNotSupported, message), hint);
}

// Puts the routes of a request's statements together.
class RouteMaker {
 public:
  RouteMaker(const RequestContents& request, const ReadingContext& context,
             const ShardWishes& wishes, router::Planner& planner, ShardRoute& route)
      : request_(request), context_(context), wishes_(wishes), planner_(planner), route_(route) {}

  void Make() {
    route_.Reset();
    for (const RequestStatement& statement : request_.statements) {
      if (route_.where == Where::kRefused) break;
      if (!SaidByAnother(statement)) Add(statement);
    }
    CheckAlone();
  }

 private:
  // What is got ready and carried out in one request goes where the latter goes, which alone has
  // the values.
  bool SaidByAnother(const RequestStatement& statement) const {
    if (statement.carried_out() || statement.facts == nullptr) return false;
    return std::ranges::any_of(request_.statements, [&](const RequestStatement& other) {
      return other.carried_out() && other.facts == statement.facts &&
             other.text.data() == statement.text.data();
    });
  }

  void Add(const RequestStatement& statement) {
    if (statement.too_long) return Unread("a statement of more than 96 KiB is too long");
    if (statement.not_kept && !statement.carried_out()) return;  // its server says what it is
    if (statement.not_kept) {
      return Unread(
          "a statement that was prepared with more than 48 KiB, or among others, has no "
          "text any more");
    }
    if (statement.use == Use::kUnknown) {
      route_.movable = false;
      // Large objects' functions.
      return To(planner_.map()->default_node(), planner_.map()->default_pattern());
    }
    // Of a statement that there isn't, any server says so.
    if (statement.facts == nullptr) return;
    const router::SqlScan& scan =
        context_.statements.ScanOf(statement.text, context_.settings.standard_strings());
    const auto steered = Steered(statement, scan);
    if (!steered.ok()) return Refuse(steered.status());
    const BoundParameters parameters = ReadParameters(statement.values, statement.types);
    const router::BoundValues values(statement.text, scan.literals(), parameters,
                                     context_.settings.utf8());
    for (size_t i = 0; i < statement.facts->statements.size(); ++i) {
      AddPlan(statement, planner_.Find(statement.facts, i, values), *steered);
      if (statement.carried_out()) AddDraw(statement, i, scan);
    }
    if (statement.carried_out()) NoteWhatItDoes(statement);
  }

  void Unread(std::string_view why) {
    route_.movable = false;
    const auto hinted = router::HintedNode(wishes_.hints, *planner_.map());
    if (!wishes_.fault.ok()) return Refuse(wishes_.fault);
    if (!hinted.ok()) return Refuse(hinted.status());
    if (hinted->has_value()) return To(**hinted, router::kNoPattern);
    Refuse(Refusal(fmt::format("{} to be routed by symbol", why),
                   "Pass its values as parameters, split it, use COPY, or steer it: "
                   "SET pgweir.shard."));
  }

  // The node that the statement's comments lead to, else that the session's settings do.
  StatusOr<std::optional<NodeId>> Steered(const RequestStatement& statement,
                                          const router::SqlScan& scan) {
    if (scan.comments().empty() && wishes_.empty()) return std::optional<NodeId>();
    router::Hints hints;
    if (!scan.comments().empty()) {
      auto spoken = router::HintsOf(statement.text, scan);
      if (!spoken.ok()) return spoken.status();
      hints = *std::move(spoken);
    }
    const bool own = hints.shard.has_value() || hints.symbol.has_value();
    if (!own && statement.facts->effects != router::kNoEffect &&
        (statement.facts->effects & ~kOfTheSession) == 0) {
      return std::optional<NodeId>();  // not even to take back a wish that is wrong
    }
    if (!own && !wishes_.fault.ok()) return wishes_.fault;
    return router::HintedNode(own ? hints : wishes_.hints, *planner_.map());
  }

  void AddPlan(const RequestStatement& statement, const Plan& plan,
               const std::optional<NodeId>& steered) {
    const bool neutral = plan.kind == Plan::Kind::kAnywhere || plan.kind == Plan::Kind::kReplicated;
    if (!neutral && statement.carried_out()) route_.movable = false;
    if (plan.kind == Plan::Kind::kReplicated) route_.reads = true;
    if (steered.has_value()) {
      if (plan.kind == Plan::Kind::kSingle && plan.writes && plan.node != *steered) {
        return Refuse(Refusal(
            fmt::format("the rows lie on the node {}, not on {}, to which the statement is steered",
                        planner_.map()->NameOf(plan.node), planner_.map()->NameOf(*steered))));
      }
      route_.movable = route_.movable && neutral;
      const bool there = plan.kind == Plan::Kind::kSingle && plan.node == *steered;
      return To(*steered, there ? plan.pattern : router::kNoPattern);
    }
    // What is only got ready may be got ready anew where it is carried out, if its tables are
    // there.
    if (!statement.carried_out() && plan.kind != Plan::Kind::kDefault) {
      if (plan.elsewhere) To(planner_.map()->default_node(), router::kNoPattern);
      return;
    }
    switch (plan.kind) {
      case Plan::Kind::kAnywhere:
      case Plan::Kind::kReplicated:
        return;
      case Plan::Kind::kSingle:
        return To(plan.node, plan.pattern, plan.symbol);
      case Plan::Kind::kDefault:
        return To(plan.node, planner_.map()->default_pattern());
      case Plan::Kind::kConcat:
        return ToSeveral(Where::kConcat, plan);
      case Plan::Kind::kEverywhere:
        return ToSeveral(Where::kEverywhere, plan);
      case Plan::Kind::kReject:
        return Refuse(WithHint(Error(plan.sqlstate, plan.message), plan.hint));
    }
  }

  void AddDraw(const RequestStatement& statement, size_t index, const router::SqlScan& scan) {
    if (route_.where == Where::kRefused) return;
    router::DrawnNumbersRef drawn = planner_.Drawn(statement.facts, index);
    if (drawn == nullptr) return;
    if (const char* why = WhyNotDrawn(statement, index, *drawn, scan); why != nullptr) {
      return Refuse(Refusal(router::WhyNotDrawn(drawn->columns[0].name, drawn->table, why),
                            router::kGiveNumber));
    }
    route_.draws.push_back({std::move(drawn), index});
  }

  // Null when it can be given its numbers on its way.
  const char* WhyNotDrawn(const RequestStatement& statement, size_t index,
                          const router::DrawnNumbers& drawn, const router::SqlScan& scan) const {
    constexpr uint32_t kOfPrepared =
        router::kPrepares | router::kExecutes | router::kDeallocates | router::kDeallocatesAll;
    const router::Facts& facts = *statement.facts;
    // A Parse is to be seen whole, whatever its name.
    const size_t size = statement.text.size() + statement.types.size() + wire::kMaxNames;
    if (size > wire::kMaxStatement || statement.cut) return "it is too long";
    if ((facts.effects & kOfPrepared) != 0) {
      return "it is in one request with commands on prepared statements";
    }
    const bool bound = statement.use == Use::kBind;
    const size_t parameters = ParametersOf(statement.types, facts) + drawn.values.size();
    if (bound && parameters > kMostParameters) return "it has too many parameters";
    const router::StatementFacts& one = facts.statements[index];
    const bool plain = router::NumberEdits(drawn, statement.text,
                                           scan.tokens().subspan(one.first_token, one.tokens),
                                           [](size_t) { return std::string(); })
                           .has_value();
    return plain ? nullptr : router::kNoPlainInsert;
  }

  void To(NodeId node, router::PatternId pattern, std::string_view symbol = "") {
    if (route_.pattern == router::kNoPattern) route_.pattern = pattern;
    if (route_.where == Where::kAnywhere) {
      route_.where = Where::kNode;
      route_.node = node;
      route_.nodes = router::NodeSet::Of(node);
      route_.symbol.assign(symbol);
      return;
    }
    if (route_.symbol != symbol) route_.symbol.clear();
    if (route_.where != Where::kNode || route_.node != node) RefuseMixture();
  }

  void ToSeveral(Where where, const Plan& plan) {
    if (route_.where != Where::kAnywhere) return RefuseMixture();
    route_.where = where;
    route_.nodes = plan.nodes;
    several_ = true;
  }

  void RefuseMixture() {
    Refuse(Refusal("statements of one request or transaction lie on different nodes",
                   "Send each in a transaction of its own."));
  }

  void Refuse(Status status) {
    route_.where = Where::kRefused;
    route_.refusal = std::move(status);
    route_.draws.clear();
  }

  // What goes to several nodes has to be all that the request carries out.
  void CheckAlone() {
    if (!several_ || route_.where == Where::kRefused) return;
    size_t carried_out = 0;
    for (const RequestStatement& statement : request_.statements) {
      if (statement.carried_out()) carried_out += statement.facts->statements.size();
    }
    if (carried_out > 1 || request_.executions > 1 || !request_.complete) {
      return Refuse(Refusal("a statement on several nodes beside others in one request",
                            "Send it by itself."));
    }
    if (request_.in_pieces) {
      return Refuse(Refusal("a query of several nodes whose rows are fetched in pieces",
                            "Fetch all rows at once, or restrict it to symbols of one shard."));
    }
    // Bound, but not carried out: nothing is done yet.
    if (request_.executions == 0) {
      Refuse(
          Refusal("a query of several nodes that is bound in one request and carried out in "
                  "another"));
    }
  }

  // Whether all it does it may do again on another node.
  void NoteWhatItDoes(const RequestStatement& statement) {
    const uint32_t effects = statement.facts->effects;
    if (effects == router::kNoEffect) return;
    if ((effects & ~(kOfTheSession | router::kCommits)) != 0) route_.movable = false;
    if ((effects & kOfTheSession) == 0) return;
    if (statement.use == Use::kBind && statement.facts->parameters > 0) route_.movable = false;
    if (!route_.again.empty()) route_.again += ";";
    route_.again += statement.text;
  }

  const RequestContents& request_;
  const ReadingContext& context_;
  const ShardWishes& wishes_;
  router::Planner& planner_;
  ShardRoute& route_;
  bool several_ = false;
};

// Of `SET [LOCAL] name = value` the value; nothing when it isn't a plain one.
std::optional<std::string> ValueSet(std::string_view text, const router::SqlScan& scan) {
  const std::span<const router::Token> tokens = scan.tokens();
  if (tokens.empty() || tokens.back().span.In(text) == ";") return std::nullopt;
  const router::Token& last = tokens.back();
  if (last.kind == router::TokenKind::kWord) return std::string(last.span.In(text));
  if (scan.literals().empty()) return std::nullopt;
  return router::LiteralValue(text, scan.literals().back());
}

void SetWish(std::string_view name, std::string_view value, ShardWishes& wishes) {
  name.remove_prefix(kPrefix.size());
  if (name != "shard" && name != "symbol") return;
  (name == "shard" ? wishes.hints.shard : wishes.hints.symbol).reset();
  if (value.empty() && name == "shard") return;  // as RESET leaves it
  const Status set = router::SetHint(name, value, wishes.hints);
  if (!set.ok()) wishes.fault = set;
}

}  // namespace

void ShardRoute::Reset() {
  where = Where::kAnywhere;
  node = 0;
  nodes = {};
  pattern = router::kNoPattern;
  symbol.clear();
  refusal = absl::OkStatus();
  movable = true;
  again.clear();
  reads = false;
  draws.clear();
}

ShardWishes WishesOf(const wire::Parameters& settings) {
  ShardWishes wishes;
  if (settings.unreported().empty()) return wishes;
  for (const std::string_view name : {"pgweir.shard", "pgweir.symbol"}) {
    const std::string* value = settings.FindUnreported(name);
    if (value != nullptr && !value->empty()) SetWish(name, *value, wishes);
  }
  return wishes;
}

void NoteWishes(const RequestContents& request, const ReadingContext& context,
                ShardWishes& wishes) {
  for (const RequestStatement& statement : request.statements) {
    if (!statement.carried_out() || statement.facts == nullptr) continue;
    const std::vector<router::SettingEffect>& settings = statement.facts->settings;
    if (settings.size() != 1 || !settings[0].name.starts_with(kPrefix)) continue;
    const router::SqlScan& scan =
        context.statements.ScanOf(statement.text, context.settings.standard_strings());
    const auto value =
        settings[0].reset ? std::optional<std::string>("") : ValueSet(statement.text, scan);
    SetWish(settings[0].name, value.value_or(""), wishes);
  }
}

void RouteToShards(const RequestContents& request, const ReadingContext& context,
                   const ShardWishes& wishes, router::Planner& planner, ShardRoute& route) {
  RouteMaker(request, context, wishes, planner, route).Make();
}

}  // namespace pgweir::proxy
