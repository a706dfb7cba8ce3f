#include "proxy/placement_logins.h"

#include <algorithm>

#include "pooler/pools.h"

namespace pgweir::proxy {
namespace {

// Those to be tried, the likeliest to see everything first.
std::vector<std::string> Candidates(const Snapshot& snapshot, const config::Database& database) {
  const config::Config& config = snapshot.config();
  std::vector<std::string> users = {config.AuthQueryFor(database.name).user};
  users.insert(users.end(), config.admin.users.begin(), config.admin.users.end());
  std::vector<std::string> others = snapshot.users().Names();
  std::ranges::sort(others);
  users.insert(users.end(), others.begin(), others.end());
  return users;
}

// Empty when a node can't be logged in to so: without a secret, by what its connection string says.
PlacementCheck::Nodes LoginsAs(const std::string& user, const std::string* secret,
                               const config::Database& database, const router::ShardMap& map) {
  PlacementCheck::Nodes nodes;
  for (const std::string& name : map.nodes()) {
    const config::Node* const node = database.FindNode(name);
    if (node == nullptr) return {};
    auto target = pooler::Pools::TargetFor({.database = database,
                                            .database_name = database.name,
                                            .user = user,
                                            .secret = secret,
                                            .at = node});
    if (!target.ok() || (secret == nullptr && !target->user.empty())) return {};
    nodes.emplace_back(name, *std::move(target));
  }
  return nodes;
}

}  // namespace

PlacementCheck::Nodes LoginsAtLoad(const Snapshot& snapshot, const config::Database& database) {
  const router::ShardMapRef map = snapshot.ShardMapOf(database.name);
  if (map == nullptr) return {};
  PlacementCheck::Nodes nodes = LoginsAs("anybody", nullptr, database, *map);
  for (const std::string& user : Candidates(snapshot, database)) {
    if (!nodes.empty()) break;
    const std::string* const secret = snapshot.users().Find(user);
    if (secret != nullptr) nodes = LoginsAs(user, secret, database, *map);
  }
  return nodes;
}

}  // namespace pgweir::proxy
