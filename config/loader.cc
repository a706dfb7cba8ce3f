#include "config/loader.h"

#include <filesystem>

#include "base/check.h"
#include "config/file.h"
#include "config/pgbouncer_ini.h"
#include "config/sections.h"

namespace pgweir::config {
namespace {

constexpr size_t kMaxFileBytes = 16 << 20;

// Where relative paths start; "" when the process's own folder is gone.
std::filesystem::path FolderOf(const std::string& path) {
  std::error_code error;
  return std::filesystem::absolute(path, error).parent_path();
}

Config Read(const TomlValue& document, const std::filesystem::path& folder, Faults& faults) {
  TableReader root(document, "", faults);
  Config config;
  ReadListen(root.Table("listen"), folder, config.listen, config.peer_id);
  ReadPeers(root.Table("peers"), config.peers);
  ReadAuth(root.Table("auth"), folder, config.listen, faults, config.auth);
  ReadPool(root.Table("pool"), config.pool);
  ReadAdmin(root.Table("admin"), folder, config.admin);
  ReadLog(root.Table("log"), folder, config.log);
  ReadProcess(root.Table("process"), folder, config.process);
  ReadCache(root.Table("cache"), config.cache);
  ReadSlowLog(root.Table("slow_log"), folder, config.slow_log);
  ReadTraces(root.Table("traces"), config.traces);
  ReadDatabases(root.Table("databases"), folder, config);
  ReadUsers(root.Table("users"), config);
  root.RejectUnknown();
  return config;
}

}  // namespace

StatusOr<Config> Load(const std::string& path) {
  const auto text = ReadFile(path, kMaxFileBytes);
  if (text.ok()) return Parse(*text, path);
  return Errorf(sqlstate::kConfigFileError, "{}:1:1: {}", path, MessageOf(text.status()));
}

StatusOr<Config> Parse(std::string_view text, const std::string& path) {
  if (IsPgBouncerIni(text)) {
    return ParsePgBouncerIni(
        text, path, [](const std::string& included) { return ReadFile(included, kMaxFileBytes); });
  }
  const auto document = ParseToml(text, path);
  if (!document.ok()) return document.status();
  Faults faults(path);
  Config config = Read(*document, FolderOf(path), faults);
  const Status status = faults.ToStatus();
  if (!status.ok()) return status;
  return config;
}

std::set<std::string> KnownKeys() {
  constexpr std::string_view kEveryTable = R"(
databases.NAME.nodes.NODE.primary = ""
users.NAME.pool.size = 1
peers.1.host = ""
cache.rules = [{ tables = ["t"] }]
slow_log.rules = [{ user = "u", sample = 1 }]
)";
  constexpr std::string_view kOneNode = R"(databases.NAME.primary = "")";
  std::set<std::string> keys;
  for (const std::string_view text : {kEveryTable, kOneNode}) {
    const auto document = ParseToml(text, "loader.cc");
    PGWEIR_CHECK(document.ok());
    Faults faults("loader.cc");
    faults.set_asked_for(&keys);
    Read(*document, "", faults);
  }
  return keys;
}

std::vector<std::string> NeedRestart(const Config& current, const Config& next) {
  const Listen& was = current.listen;
  const Listen& will = next.listen;
  std::vector<std::string> keys;
  if (was.address != will.address) keys.emplace_back("listen.address");
  if (was.port != will.port) keys.emplace_back("listen.port");
  if (was.unix_socket_dir != will.unix_socket_dir) keys.emplace_back("listen.unix_socket_dir");
  if (was.so_reuseport != will.so_reuseport) keys.emplace_back("listen.so_reuseport");
  if (was.unix_socket_mode != will.unix_socket_mode ||
      was.unix_socket_group != will.unix_socket_group) {
    keys.emplace_back("listen.unix_socket_mode or unix_socket_group");
  }
  if (was.workers != will.workers) keys.emplace_back("listen.workers");
  if (current.admin.http != next.admin.http) keys.emplace_back("admin.http");
  if (current.peer_id != next.peer_id) keys.emplace_back("listen.peer_id");
  if (current.log.level != next.log.level) keys.emplace_back("log.level");
  if (current.log.file != next.log.file || current.log.syslog != next.log.syslog ||
      current.log.syslog_ident != next.log.syslog_ident ||
      current.log.syslog_facility != next.log.syslog_facility) {
    keys.emplace_back("log.file (logfile) or log.syslog");
  }
  if (current.cache.enabled != next.cache.enabled) keys.emplace_back("cache.enabled");
  if (current.process != next.process)
    keys.emplace_back("process.pid_file (pidfile) or process.user");
  return keys;
}

}  // namespace pgweir::config
