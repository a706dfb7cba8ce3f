// Where a session's requests go, when its node has several servers.

#include <algorithm>

#include "proxy/copy_wish.h"
#include "proxy/request_route.h"
#include "proxy/session.h"

namespace pgweir::proxy {
namespace {

using config::Consistency;
using Role = RequestRoute::Role;

constexpr std::string_view kConsistencySetting = "pgweir.consistency";

Consistency ConsistencyOf(const wire::Parameters& settings, Consistency configured) {
  const std::string* const set = settings.FindUnreported(kConsistencySetting);
  const std::string_view value = set == nullptr ? std::string_view() : *set;
  if (value == "eventual") return Consistency::kEventual;
  if (value == "session") return Consistency::kSession;
  return value == "primary" ? Consistency::kPrimary : configured;
}

}  // namespace

std::unique_ptr<NodeCopies> Session::CopiesOf(const config::Database& database,
                                              const config::Node& node,
                                              const std::shared_ptr<pooler::Pool>& primary) const {
  if (node.replicas.empty() || own_.mode == config::PoolMode::kSession) return nullptr;
  auto status = host_.shared().nodes.Find(database.name, node.name);
  if (status == nullptr) return nullptr;
  return std::make_unique<NodeCopies>(
      std::move(status), primary,
      NodeCopies::Session{.user = user_,
                          .database = database_,
                          .node = node.name,
                          .secret = secret_ == nullptr ? std::nullopt : std::optional(*secret_)});
}

Status Session::ChooseServer(wire::Bytes request) {
  reads_ = false;
  if (!sharded() && at_->copies == nullptr && cached_ == nullptr) return absl::OkStatus();
  if (cached_ != nullptr) cached_->answered = false;
  host_.Refresh();
  const RequestContents contents = ReadRequest(request, Reading());
  if (cached_ != nullptr && cached_->in_transactions) FollowTransaction(contents, holds_begin());
  if (sharded()) {
    if (Status chosen = ChooseNode(contents); !chosen.ok()) return chosen;
    if (HoldBegin(contents, request)) return absl::OkStatus();
    if (!sharding_->onward.empty()) sharding_->request.assign(wire::AsText(request));
  }
  TellWritesPlace();
  watch_.Mark(observe::Moment::kRouted, Clock::now());
  if (cached_ != nullptr && (!holds_begin() || cached_->in_transactions)) {
    LookInCache(request, contents);
    if (cached_->answered || cached_->waiting) return absl::OkStatus();
  }
  return ChooseCopy(contents);
}

Status Session::ChooseCopy(const RequestContents& request) {
  reads_ = false;
  pool_ = at_->primary;
  if (at_->copies == nullptr) return absl::OkStatus();
  const wire::Parameters& settings = *own_.parameters;
  const config::Config& config = host_.snapshot()->config();
  const config::Database* database = config.FindDatabase(database_);
  if (database == nullptr) return absl::OkStatus();
  const auto said = WishOf(request, Reading(), database->labels, {user_, client_.peer.address});
  // Of a sharded database, the route has refused it already.
  if (!said.ok() && !sharded()) return said.status();
  const CopyWish asked = said.ok() ? *said : CopyWish();
  if (asked.role == CopyWish::Role::kPrimary) return absl::OkStatus();
  const bool by_itself = asked.role == CopyWish::Role::kAuto;
  const Consistency consistency = ConsistencyOf(settings, database->consistency);
  if (consistency == Consistency::kPrimary && by_itself) return absl::OkStatus();
  if (!First().empty()) {
    reads_ = sharding_->transaction.read_only;
  } else {
    reads_ = RouteOf(request, settings, *own_.catalog, host_.tools()).role == Role::kAnyCopy;
  }
  if (!reads_ && by_itself) return absl::OkStatus();
  NodeCopies::Wish wish;
  wish.label = asked.label;
  if (consistency == Consistency::kSession) wish.since = at_->wrote_at;
  const bool fills = cached_ != nullptr && cached_->filling;
  const TimePoint written =
      fills ? cached_->cache.ClockOf(at_->server_database).last() : TimePoint();
  if (fills && database->replica_fallback == config::ReplicaFallback::kPrimary) {
    wish.since = std::max(wish.since, written);
  }
  auto replica = at_->copies->Pick(host_.shared().pools, config, wish);
  if (replica != nullptr) {
    pool_ = std::move(replica);
    if (fills) cached_->storable = wish.since >= written;
  } else if (!reads_ || database->replica_fallback == config::ReplicaFallback::kError) {
    return Error(sqlstate::kCannotConnectNow,
                 "no replica can answer this just now (SHOW NODES on the console says why; with "
                 "replica_fallback = \"primary\" the primary answers reads)");
  }
  return absl::OkStatus();
}

void Session::TakePrimary() {
  at_->copies->ForgetPick();
  pool_ = at_->primary;
}

// What may have written counts from when the client knows that it is done.
void Session::GiveBack() {
  const TimePoint answered = relay().answered_at();
  relay().Release(answered == TimePoint() ? Clock::now() : answered);
  Detach();
  if (at_ != nullptr && at_->copies != nullptr && !reads_ && pool_ == at_->primary) {
    at_->wrote_at = Clock::now();
  }
}

}  // namespace pgweir::proxy
