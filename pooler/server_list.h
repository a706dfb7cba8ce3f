#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace pgweir::pooler {

// A replica as the configuration lists it.
struct ReplicaSettings {
  std::string connection_string;
  std::vector<std::string> labels;  // what it is set apart for; none = for everybody
  bool operator==(const ReplicaSettings&) const = default;
};

// What is known of a node beforehand.
struct NodeSettings {
  std::string database;  // the entry of the configuration
  std::string node;      // its node
  std::string primary;   // libpq connection strings, perhaps of several hosts
  std::vector<ReplicaSettings> replicas;
  Duration max_lag = std::chrono::seconds(10);  // a replica further behind is out; 0 = none is
  // Between two questions to each server; 0 = none is asked.
  Duration check_interval = std::chrono::milliseconds(500);
};

// One server of a node.
struct NodeServer {
  std::string host, port;
  std::string connection_string;  // leads to this host alone
  std::vector<std::string> labels;
  bool listed_as_primary = false;
};

// The node's servers: each host of each connection string, one that comes again left out. A replica
// is logged in to as its string says, and where that is silent, as the primary's. The string of a
// node that is one server stays as it is; of several, target_session_attrs has no say: which server
// is the primary is found out. A string that asks for something else than that is one server, whose
// hosts are libpq's matter.
StatusOr<std::vector<NodeServer>> ServersOf(const NodeSettings& settings);

}  // namespace pgweir::pooler
