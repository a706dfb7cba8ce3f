#include "pooler/server_list.h"

#include <algorithm>
#include <array>

#include "pooler/conninfo.h"

namespace pgweir::pooler {
namespace {

// What a replica's string leaves to the primary's.
constexpr std::array<std::string_view, 4> kInherited = {"user", "password", "passfile", "dbname"};
// What is said of each host.
constexpr std::array<std::string_view, 4> kOfHost = {"host", "hostaddr", "port",
                                                     "target_session_attrs"};

void Append(std::string& text, std::string_view keyword, std::string_view value) {
  if (value.empty()) return;
  text += fmt::format("{}{}='", text.empty() ? "" : " ", keyword);
  for (const char c : value) {
    if (c == '\'' || c == '\\') text += '\\';
    text += c;
  }
  text += '\'';
}

std::string StringFor(const ServerHost& host, const ConninfoOptions& options) {
  std::string text;
  Append(text, "host", host.name);
  Append(text, "hostaddr", host.address);
  Append(text, "port", host.port);
  for (const auto& [keyword, value] : options) {
    if (std::ranges::find(kOfHost, keyword) == kOfHost.end()) Append(text, keyword, value);
  }
  return text;
}

bool WantsNoPrimary(const ConninfoOptions& options) {
  const auto wanted = options.find("target_session_attrs");
  return wanted != options.end() && (wanted->second == "read-only" || wanted->second == "standby" ||
                                     wanted->second == "prefer-standby");
}

bool Contains(const std::vector<NodeServer>& servers, const NodeServer& server) {
  return std::ranges::any_of(servers, [&](const NodeServer& other) {
    return other.host == server.host && other.port == server.port;
  });
}

Status AddHosts(const ConninfoOptions& options, const std::vector<std::string>& labels,
                bool is_primary, std::vector<NodeServer>& servers) {
  const auto hosts = HostsIn(options);
  if (!hosts.ok()) return hosts.status();
  for (const ServerHost& host : *hosts) {
    NodeServer server{.host = host.name.empty() ? host.address : host.name,
                      .port = host.port,
                      .connection_string = StringFor(host, options),
                      .labels = labels,
                      .listed_as_primary = is_primary};
    if (!Contains(servers, server)) servers.push_back(std::move(server));
  }
  return absl::OkStatus();
}

}  // namespace

StatusOr<std::vector<NodeServer>> ServersOf(const NodeSettings& settings) {
  const auto primary = ParseConninfo(settings.primary);
  if (!primary.ok()) return primary.status();
  std::vector<NodeServer> servers;
  if (WantsNoPrimary(*primary)) {
    const Destination to = DestinationOf(settings.primary);
    servers.push_back({.host = to.host,
                       .port = to.port,
                       .connection_string = settings.primary,
                       .labels = {},
                       .listed_as_primary = true});
  } else {
    const Status hosts = AddHosts(*primary, {}, true, servers);
    if (!hosts.ok()) return hosts;
  }
  for (const ReplicaSettings& replica : settings.replicas) {
    auto options = ParseConninfo(replica.connection_string);
    if (!options.ok()) return options.status();
    for (const std::string_view keyword : kInherited) {
      const auto theirs = primary->find(keyword);
      if (theirs != primary->end()) options->emplace(keyword, theirs->second);
    }
    const Status more = AddHosts(*options, replica.labels, false, servers);
    if (!more.ok()) return more;
  }
  if (servers.size() == 1) servers.front().connection_string = settings.primary;
  return servers;
}

}  // namespace pgweir::pooler
