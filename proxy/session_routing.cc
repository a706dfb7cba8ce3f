// Where a session's requests go, when its node has several servers.

#include "proxy/request_route.h"
#include "proxy/session.h"

namespace pgweir::proxy {
namespace {

using config::Consistency;
using Role = RequestRoute::Role;

constexpr std::string_view kRoleSetting = "pgweir.role";
constexpr std::string_view kConsistencySetting = "pgweir.consistency";

std::string_view SettingOr(const wire::Parameters& settings, std::string_view name,
                           std::string_view otherwise) {
  const std::string* value = settings.FindUnreported(name);
  return value == nullptr ? otherwise : std::string_view(*value);
}

Consistency ConsistencyOf(const wire::Parameters& settings, Consistency configured) {
  const std::string_view value = SettingOr(settings, kConsistencySetting, "");
  if (value == "eventual") return Consistency::kEventual;
  if (value == "session") return Consistency::kSession;
  return value == "primary" ? Consistency::kPrimary : configured;
}

}  // namespace

void Session::LearnCopies(const config::Database& database,
                          const std::optional<std::string>& secret) {
  if (database.node.replicas.empty() || mode_ == config::PoolMode::kSession) return;
  auto status = host_.shared().nodes.Find(database.name, database.node.name);
  if (status == nullptr) return;
  copies_ = std::make_unique<NodeCopies>(
      std::move(status), pool_,
      NodeCopies::Session{.user = user_, .database = database_, .secret = secret});
}

Status Session::ChooseServer(wire::Bytes request) {
  reads_ = false;
  if (copies_ == nullptr) return absl::OkStatus();
  pool_ = copies_->primary();
  const wire::Parameters& settings = *relay_.parameters;
  // A role that is none of these is a label of replicas.
  const std::string_view role = SettingOr(settings, kRoleSetting, "auto");
  if (role == "primary") return absl::OkStatus();
  const config::Config& config = host_.snapshot()->config();
  const config::Database* database = config.FindDatabase(database_);
  if (database == nullptr) return absl::OkStatus();
  const Consistency consistency = ConsistencyOf(settings, database->consistency);
  if (consistency == Consistency::kPrimary && role == "auto") return absl::OkStatus();
  const RequestRoute route = RouteOf(request, {relay_.state(), settings, *catalog_, host_.tools()});
  reads_ = route.role == Role::kAnyCopy;
  if (!reads_ && role == "auto") return absl::OkStatus();
  NodeCopies::Wish wish;
  if (role != "auto" && role != "replica") wish.label = role;
  if (consistency == Consistency::kSession) wish.since = wrote_at_;
  auto replica = copies_->Pick(host_.shared().pools, config, wish);
  if (replica != nullptr) {
    pool_ = std::move(replica);
  } else if (!reads_ || database->replica_fallback == config::ReplicaFallback::kError) {
    return Error(sqlstate::kCannotConnectNow,
                 "no replica can answer this just now (SHOW NODES on the console says why; with "
                 "replica_fallback = \"primary\" the primary answers reads)");
  }
  return absl::OkStatus();
}

void Session::TakePrimary() {
  copies_->ForgetPick();
  pool_ = copies_->primary();
}

// What may have written counts from when the client knows that it is done.
void Session::GiveBack() {
  const TimePoint answered = relay_.answered_at();
  relay_.Release(answered == TimePoint() ? Clock::now() : answered);
  if (copies_ != nullptr && !reads_ && pool_ == copies_->primary()) wrote_at_ = Clock::now();
}

}  // namespace pgweir::proxy
