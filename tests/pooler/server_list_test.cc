#include "pooler/server_list.h"

#include <gtest/gtest.h>

#include "pooler/conninfo.h"

namespace pgweir::pooler {
namespace {

std::vector<NodeServer> Servers(const std::string& primary,
                                std::vector<ReplicaSettings> replicas = {}) {
  auto servers =
      ServersOf({.database = "d", .node = "n", .primary = primary, .replicas = replicas});
  EXPECT_TRUE(servers.ok()) << MessageOf(servers.status());
  return servers.ok() ? *servers : std::vector<NodeServer>();
}

std::string Option(const NodeServer& server, std::string_view keyword) {
  const auto options = ParseConninfo(server.connection_string);
  EXPECT_TRUE(options.ok()) << MessageOf(options.status());
  const auto it = options->find(keyword);
  return it == options->end() ? "" : it->second;
}

TEST(ServerList, OneServersStringStaysAsItIs) {
  const std::string string = "host=a port=1  target_session_attrs=read-write";
  const auto servers = Servers(string);
  ASSERT_EQ(servers.size(), 1u);
  EXPECT_EQ(servers[0].connection_string, string);
  EXPECT_EQ(servers[0].host, "a");
  EXPECT_EQ(servers[0].port, "1");
  EXPECT_TRUE(servers[0].listed_as_primary);
}

TEST(ServerList, EachHostOfAStringIsAServer) {
  const auto servers = Servers("host=a,b,/run port=1,,3 dbname=x target_session_attrs=primary");
  ASSERT_EQ(servers.size(), 3u);
  EXPECT_EQ(servers[0].host, "a");
  EXPECT_EQ(servers[1].port, "5432");
  EXPECT_EQ(servers[2].host, "/run");
  for (const NodeServer& server : servers) {
    EXPECT_TRUE(server.listed_as_primary);
    EXPECT_EQ(Option(server, "host"), server.host);
    EXPECT_EQ(Option(server, "port"), server.port);
    EXPECT_EQ(Option(server, "dbname"), "x");
    EXPECT_EQ(Option(server, "target_session_attrs"), "");
  }
}

TEST(ServerList, HostsThatNeedNotBeAPrimaryAreLibpqsMatter) {
  for (const char* wanted : {"standby", "prefer-standby", "read-only"}) {
    const std::string string = fmt::format("host=a,b port=1 target_session_attrs={}", wanted);
    const auto servers = Servers(string);
    ASSERT_EQ(servers.size(), 1u);
    EXPECT_EQ(servers[0].connection_string, string);
    EXPECT_EQ(servers[0].host, "a,b");
  }
}

TEST(ServerList, UriIsReadAsWell) {
  const auto servers = Servers("postgresql://u:p%20q@a:1,b:2/x?sslmode=disable");
  ASSERT_EQ(servers.size(), 2u);
  EXPECT_EQ(servers[1].host, "b");
  EXPECT_EQ(Option(servers[1], "password"), "p q");
  EXPECT_EQ(Option(servers[1], "sslmode"), "disable");
}

TEST(ServerList, ReplicaIsLoggedInToAsThePrimaryUnlessItSaysOtherwise) {
  const auto servers = Servers(R"(host=a user=u password='it\'s \\ me' dbname=x)",
                               {{"host=b", {}}, {"host=c user=v dbname=y", {"reports"}}});
  ASSERT_EQ(servers.size(), 3u);
  EXPECT_FALSE(servers[1].listed_as_primary);
  EXPECT_EQ(Option(servers[1], "user"), "u");
  EXPECT_EQ(Option(servers[1], "password"), R"(it's \ me)");
  EXPECT_EQ(Option(servers[1], "dbname"), "x");
  EXPECT_TRUE(servers[1].labels.empty());
  EXPECT_EQ(Option(servers[2], "user"), "v");
  EXPECT_EQ(Option(servers[2], "dbname"), "y");
  EXPECT_EQ(servers[2].labels, std::vector<std::string>{"reports"});
}

TEST(ServerList, ServerThatIsListedTwiceIsOne) {
  const auto servers = Servers("host=a,b port=1", {{"host=b port=1", {}}, {"host=b port=2", {}}});
  ASSERT_EQ(servers.size(), 3u);
  EXPECT_TRUE(servers[1].listed_as_primary);
  EXPECT_EQ(servers[2].port, "2");
}

TEST(ServerList, BadStringOfAReplicaIsAnError) {
  const auto servers =
      ServersOf({.database = "d", .node = "n", .primary = "host=a", .replicas = {{"host", {}}}});
  EXPECT_EQ(SqlStateOf(servers.status()), sqlstate::kConfigFileError);
}

}  // namespace
}  // namespace pgweir::pooler
