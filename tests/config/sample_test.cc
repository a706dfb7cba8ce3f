#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "config/loader.h"

// The sample files that ship, and the reference in docs/, against what the loader reads.

namespace pgweir::config {
namespace {

std::string Root() {
  return std::filesystem::path(__FILE__).parent_path().parent_path().parent_path().string();
}

std::string Read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_FALSE(text.str().empty()) << path;
  return text.str();
}

std::set<std::string> KeysOf(const std::string& toml) {
  std::set<std::string> keys;
  std::istringstream in(toml);
  const std::regex assignment(R"(([a-z_]+) = .*)");
  for (std::string line; std::getline(in, line);) {
    std::smatch match;
    if (std::regex_match(line, match, assignment)) keys.insert(match[1]);
  }
  return keys;
}

TEST(Sample, HoldsTheDefaults) {
  const auto loaded = Load(Root() + "/config/pgweir.toml");
  ASSERT_TRUE(loaded.ok()) << MessageOf(loaded.status());
  const Config defaults;
  EXPECT_EQ(loaded->listen.address, defaults.listen.address);
  EXPECT_EQ(loaded->listen.port, defaults.listen.port);
  EXPECT_EQ(loaded->listen.unix_socket_dir, defaults.listen.unix_socket_dir);
  EXPECT_EQ(loaded->listen.workers, defaults.listen.workers);
  EXPECT_EQ(loaded->listen.max_clients, defaults.listen.max_clients);
  EXPECT_EQ(loaded->listen.client_login_timeout, defaults.listen.client_login_timeout);
  EXPECT_EQ(loaded->listen.tls.mode, defaults.listen.tls.mode);
  EXPECT_EQ(loaded->listen.tls.certificate, defaults.listen.tls.certificate);
  EXPECT_EQ(loaded->listen.tls.key, defaults.listen.tls.key);
  EXPECT_EQ(loaded->listen.tls.ca, defaults.listen.tls.ca);
  EXPECT_EQ(loaded->auth.method, defaults.auth.method);
  EXPECT_EQ(loaded->auth.users_file, Root() + "/config/users.txt");
  EXPECT_EQ(loaded->auth.allow_plain_without_tls, defaults.auth.allow_plain_without_tls);
  EXPECT_TRUE(loaded->listen.proxy_protocol.empty());
  EXPECT_EQ(loaded->auth.hba_file, defaults.auth.hba_file);
  EXPECT_EQ(loaded->auth.ident_file, defaults.auth.ident_file);
  EXPECT_EQ(loaded->auth.ident_map, defaults.auth.ident_map);
  EXPECT_EQ(loaded->auth.query, defaults.auth.query);
  EXPECT_EQ(loaded->auth.query_user, defaults.auth.query_user);
  EXPECT_EQ(loaded->auth.query_database, defaults.auth.query_database);
  EXPECT_EQ(loaded->auth.query_cache, defaults.auth.query_cache);
  EXPECT_EQ(loaded->auth.failure_delay, defaults.auth.failure_delay);
  EXPECT_EQ(loaded->admin.database, defaults.admin.database);
  EXPECT_EQ(loaded->admin.users, defaults.admin.users);
  EXPECT_EQ(loaded->admin.stats_users, defaults.admin.stats_users);
  EXPECT_EQ(loaded->admin.old_columns, defaults.admin.old_columns);
  EXPECT_EQ(loaded->log.level, defaults.log.level);
  ASSERT_NE(loaded->FindDatabase("market"), nullptr);
  for (const Pool& pool : {loaded->pool, loaded->FindDatabase("market")->pool}) {
    EXPECT_EQ(pool.mode, defaults.pool.mode);
    EXPECT_EQ(pool.size, defaults.pool.size);
    EXPECT_EQ(pool.overflow, defaults.pool.overflow);
    EXPECT_EQ(pool.min_size, defaults.pool.min_size);
    EXPECT_EQ(pool.max_db_connections, defaults.pool.max_db_connections);
    EXPECT_EQ(pool.max_user_connections, defaults.pool.max_user_connections);
    EXPECT_EQ(pool.max_node_connections, defaults.pool.max_node_connections);
    EXPECT_EQ(pool.max_db_client_connections, defaults.pool.max_db_client_connections);
    EXPECT_EQ(pool.max_user_client_connections, defaults.pool.max_user_client_connections);
    EXPECT_EQ(pool.wait_timeout, defaults.pool.wait_timeout);
    EXPECT_EQ(pool.recycle, defaults.pool.recycle);
    EXPECT_EQ(pool.idle_timeout, defaults.pool.idle_timeout);
    EXPECT_EQ(pool.pre_ping, defaults.pool.pre_ping);
    EXPECT_EQ(pool.server_connect_timeout, defaults.pool.server_connect_timeout);
    EXPECT_EQ(pool.cleanup_timeout, defaults.pool.cleanup_timeout);
  }
}

// Whatever stands behind a comment sign as an example has to load as well.
TEST(Sample, LoadsWithItsExamplesUncommented) {
  const std::string path = Root() + "/config/pgweir.toml";
  const std::string text =
      std::regex_replace(Read(path), std::regex(R"((^|\n)# (\[.*\]|[a-z_]+ = .*)(?=\n))"), "$1$2");
  const auto config = Parse(text, path);
  ASSERT_TRUE(config.ok()) << MessageOf(config.status());
  EXPECT_EQ(config->FindDatabase("market")->pool.size, 20);
  EXPECT_EQ(config->users.at("report").mode, PoolMode::kSession);
  EXPECT_EQ(config->peers.at(2).host, "10.0.0.2");
}

TEST(Sample, HasEveryKeyDocumented) {
  const std::set<std::string> keys = KeysOf(Read(Root() + "/config/pgweir.toml"));
  EXPECT_EQ(keys.size(), 52u);
  const std::string reference = Read(Root() + "/docs/configuration.md");
  for (const std::string& key : keys) {
    EXPECT_THAT(reference, testing::HasSubstr("| `" + key + "` |"));
  }
}

}  // namespace
}  // namespace pgweir::config
