// Where a session's requests go in a database that is divided among nodes.
//
// A request goes to one node as a whole, and so does a transaction: with its first statement that
// belongs to a node. What comes before that (BEGIN, SET, SAVEPOINT, SELECT 1) is carried out where
// the session was last, and again on that node when it is another one.

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "base/log.h"
#include "base/strings.h"
#include "proxy/session.h"
#include "router/statement_cache.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

using Where = ShardRoute::Where;

Status NotSharded() {
  return Error(sqlstate::kAdminShutdown,
               "terminating connection: the configuration has no shard map for its database any "
               "more");
}

// The tag of a request that is a BEGIN and nothing else; "" of any other.
std::string_view BeginTag(const RequestContents& request, const ReadingContext& context) {
  if (request.statements.size() != 1) return "";
  const RequestStatement& only = request.statements.front();
  if (only.use != RequestStatement::Use::kQuery || only.facts->statements.size() != 1) return "";
  const router::StatementFacts& facts = only.facts->statements.front();
  if (!facts.begins) return "";
  const router::SqlScan& scan =
      context.statements.ScanOf(only.text, context.settings.standard_strings());
  const std::span<const router::Token> tokens = scan.tokens();
  const std::string_view word = tokens[facts.first_token].span.In(only.text);
  return absl::EqualsIgnoreCase(ToAbsl(word), "start") ? "START TRANSACTION" : "BEGIN";
}

}  // namespace

void Sharding::BeginTransaction(const wire::Parameters& settings) {
  transaction.again.clear();
  transaction.movable = true;
  transaction.reads = transaction.held = transaction.read_only = false;
  if (transaction.wishes.empty() && settings.unreported().empty()) return;
  transaction.wishes = WishesOf(settings);
}

void Sharding::Note(const ShardRoute& done) {
  transaction.movable = transaction.movable && done.movable;
  transaction.reads = transaction.reads || done.reads;
  if (done.again.empty()) return;
  if (!transaction.again.empty()) transaction.again += ";";
  transaction.again += done.again;
}

// One that keeps its snapshot would have another one elsewhere.
bool Sharding::movable() const {
  if (!transaction.movable) return false;
  if (!transaction.reads) return true;
  std::string lower = transaction.again;
  absl::AsciiStrToLower(&lower);
  return lower.find("isolation") == std::string::npos;
}

// Of the first client since the map was loaded; all its nodes are watched from then on.
void Session::CheckPlacement(const std::string& database, const router::ShardMapRef& map) {
  PlacementCheck& placements = host_.shared().placements;
  if (!placements.WantsLogins(database, map)) return;
  PlacementCheck::Nodes nodes;
  for (const std::string& name : map->nodes()) {
    const auto node = NodeOf(name);
    if (!node.ok() || (*node)->primary->paused()) return;
    nodes.emplace_back(name, (*node)->primary->target());
  }
  placements.GiveLogins(database, map, std::move(nodes));
}

Session::Node* Session::FindNode(const std::string& name) {
  if (home_.name == name) return &home_;
  if (others_ == nullptr) return nullptr;
  const auto found = others_->find(name);
  return found == others_->end() ? nullptr : &found->second;
}

StatusOr<Session::Node*> Session::NodeOf(const std::string& name) {
  if (Node* const known = FindNode(name); known != nullptr) return known;
  const SnapshotRef& snapshot = host_.snapshot();
  const config::Database* database = snapshot->config().FindDatabase(database_);
  const config::Node* node = database == nullptr ? nullptr : database->FindNode(name);
  if (node == nullptr) return NotSharded();
  const pooler::Pools::Client asking{*database,     database_,          user_,
                                     secret_.get(), snapshot->number(), node};
  auto pool = host_.shared().pools.Get(snapshot->config(), asking);
  if (!pool.ok()) return pool.status();
  host_.shared().nodes.Lend(database->name, node->name, *pool);
  if (others_ == nullptr) others_ = std::make_unique<std::map<std::string, Node>>();
  Node& fresh = (*others_)[name];
  fresh.name = name;
  fresh.primary = *std::move(pool);
  fresh.server_database = ServersDatabase(*node, database_);
  fresh.copies = CopiesOf(*database, *node, fresh.primary);
  return &fresh;
}

Status Session::RouteByMap(const RequestContents& request) {
  ShardRoute& route = sharding_->route;
  sharding_->numbers = {};
  if (!own_.parameters->ascii_superset()) {
    return Error(sqlstate::kFeatureNotSupported,
                 "statements in this client_encoding can't be routed by symbol: use UTF8");
  }
  WorkerTools& tools = host_.tools();
  ShardWishes& wishes = sharding_->transaction.wishes;
  RouteToShards(request, Reading(), wishes, tools.planners.Of(*own_.catalog, sharding_->map),
                route);
  NoteWishes(request, Reading(), wishes);
  watch_.set_symbol(route.symbol);
  sharding_->numbers.by_server =
      route.where == Where::kNode && route.node == sharding_->map->default_node();
  if (own_.map != sharding_->map) own_.map = sharding_->map;
  return route.where == Where::kRefused ? route.refusal : absl::OkStatus();
}

bool Session::HoldBegin(const RequestContents& contents, wire::Bytes request) {
  Sharding::Transaction& transaction = sharding_->transaction;
  if (transaction.held || own_.mode != config::PoolMode::kTransaction) return false;
  const std::string_view tag = BeginTag(contents, Reading());
  if (tag.empty()) return false;
  transaction.held = true;
  transaction.read_only = contents.statements.front().facts->statements.front().begins_read_only;
  std::string answer;
  wire::AppendCommandComplete(answer, tag);
  wire::AppendReadyForQuery(answer, wire::TransactionStatus::kInTransaction);
  Accept(request, answer);
  return true;
}

// By the newest configuration.
Status Session::LearnMap() {
  const Snapshot& snapshot = *host_.snapshot();
  if (sharding_->snapshot == snapshot.number()) return absl::OkStatus();
  const config::Database* database = snapshot.config().FindDatabase(database_);
  if (database == nullptr || database->shard_map == nullptr) return NotSharded();
  if (const auto map = snapshot.ShardMapOf(database->name); map != sharding_->map) {
    sharding_->map = map;
    CheckPlacement(database->name, map);
  }
  sharding_->database = database->name;
  sharding_->snapshot = snapshot.number();
  return absl::OkStatus();
}

Status Session::ChooseNode(const RequestContents& request) {
  if (Status known = LearnMap(); !known.ok()) return known;
  sharding_->everywhere = false;
  sharding_->onward.clear();
  sharding_->joint = {};
  sharding_->part.Clear();
  sharding_->refusal = absl::OkStatus();
  own_.joint = nullptr;
  const bool held = sharding_->transaction.held;
  if (!held) sharding_->BeginTransaction(*own_.parameters);
  AssignMostlyNothing(sharding_->first, sharding_->transaction.again);
  ShardRoute& route = sharding_->route;
  Status refusal = RouteByMap(request);
  if (held && refusal.ok()) refusal = WhyNotInOne(route);
  if (!refusal.ok() && !held) return refusal;
  sharding_->refusal = std::move(refusal);
  if (sharding_->refusal.ok()) sharding_->Note(route);
  const router::ShardMap& map = *sharding_->map;
  if (!sharding_->refusal.ok()) {
    route.Reset();
  } else if (route.where == Where::kEverywhere) {
    sharding_->everywhere = true;
    return absl::OkStatus();
  } else if (route.where == Where::kConcat) {
    for (size_t i = map.nodes().size(); i-- > 0;) {
      const auto node = static_cast<router::NodeId>(i);
      if (route.nodes.Has(node)) sharding_->onward.push_back(node);
    }
    own_.joint = &sharding_->joint;
    return ChooseNext();
  }
  if (route.where == Where::kNode) sharding_->onward.push_back(route.node);
  if (route.where == Where::kAnywhere && !map.Find(at_->name).has_value()) {
    sharding_->onward.push_back(map.default_node());
  }
  if (!sharding_->onward.empty()) return ChooseNext();
  CountByPattern();
  return absl::OkStatus();
}

void Session::CountByPattern() {
  const router::ShardMapRef& map = sharding_->map;
  router::PatternId pattern = sharding_->route.pattern;
  if (pattern == router::kNoPattern) {
    const auto node = map->Find(at_->name);
    if (node.has_value()) pattern = map->FirstPatternOf(*node);
  }
  own_.pattern_counters = host_.tools().patterns.Of(map, sharding_->database, pattern);
}

Status Session::ChooseNext() {
  auto node = NodeOf(sharding_->map->NameOf(sharding_->onward.back()));
  sharding_->onward.pop_back();
  if (!node.ok()) return node.status();
  at_ = *node;
  TellWritesPlace();
  CountByPattern();
  if (own_.joint != nullptr) sharding_->joint.BeginPart(sharding_->onward.empty());
  return absl::OkStatus();
}

bool Session::StaysHere(wire::Bytes request, const RequestContents& contents) {
  ShardRoute& route = sharding_->route;
  Status refusal = RouteByMap(contents);
  if (refusal.ok()) refusal = WhyNotHere(route);
  if (!refusal.ok()) {
    relay().Refuse(request, refusal);
    return false;
  }
  if (route.where == Where::kNode && sharding_->map->NameOf(route.node) != at_->name) {
    sharding_->onward = {route.node};
    sharding_->request.assign(wire::AsText(request));
    sharding_->first = sharding_->transaction.again;
    sharding_->Note(route);
    relay().Withdraw();
    return false;
  }
  sharding_->Note(route);
  CountByPattern();
  return true;
}

// Why it can't be part of a transaction; OK when it can, on some node.
Status Session::WhyNotInOne(const ShardRoute& route) {
  if (route.where != Where::kConcat && route.where != Where::kEverywhere) return absl::OkStatus();
  return WithHint(Error(sqlstate::kFeatureNotSupported,
                        "a statement on several nodes within a transaction, which is on one only"),
                  "Send it outside of the transaction.");
}

// OK when it may be carried out on the present backend, or on another in its place.
Status Session::WhyNotHere(const ShardRoute& route) const {
  const router::ShardMap& map = *sharding_->map;
  if (Status refusal = WhyNotInOne(route); !refusal.ok()) return refusal;
  if (route.where != Where::kNode) return absl::OkStatus();
  if (map.NameOf(route.node) == at_->name) return absl::OkStatus();
  if (const char* pin = own_.state.pin(); pin != nullptr) {
    return Errorf(sqlstate::kFeatureNotSupported,
                  "statement belongs to the node {}, but its session is kept on the node {} by: {}",
                  map.NameOf(route.node), at_->name, pin);
  }
  if (sharding_->movable() && !relay().lease()->tracker.outstanding()) return absl::OkStatus();
  return WithHint(Errorf(sqlstate::kFeatureNotSupported,
                         "statement belongs to the node {}, but its transaction is on the node {}",
                         map.NameOf(route.node), at_->name),
                  "A transaction can't span several nodes: use one for each.");
}

net::Task<bool> Session::CarryOn() {
  if (sharding_->joint.failed()) {
    sharding_->onward.clear();
    co_return true;
  }
  const std::string request = sharding_->request;
  Status chosen = ChooseNext();
  if (chosen.ok()) chosen = ChooseCopy(ReadRequest(wire::AsBytes(request), Reading()));
  if (!chosen.ok()) {
    co_await Say(chosen);
    co_return false;
  }
  if (NeedsNumbers() && !co_await DrawNumbers()) co_return false;
  co_return co_await Obtain(PartHere(request), TryAcquire());
}

std::string Session::PartHere(const std::string& request) {
  if (!sharding_->joint.begun()) return request;
  RequestPart part = PartOf(request, *at_);
  sharding_->part = std::move(part.text);
  return std::move(part.request);
}

RequestPart Session::PartOf(const std::string& request, const Node& at) {
  RequestPart part;
  if (const auto node = sharding_->map->Find(at.name); node.has_value()) {
    router::Planner& planner = host_.tools().planners.Of(*own_.catalog, sharding_->map);
    part = SplitRequest(wire::AsBytes(request), Reading(), planner, *node);
  }
  if (part.request.empty()) part.request = request;
  return part;
}

}  // namespace pgweir::proxy
