#include "config/loader.h"
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include "config/users.h"
namespace pgweir::config {
StatusOr<Config> Load(const std::string& path) {
  std::ifstream f(path); std::stringstream b; b << f.rdbuf();
  return Parse(b.str(), path);
}
StatusOr<Config> Parse(std::string_view text, const std::string& path) {
  auto r = toml::parse(text, path);
  if (!r) return Error("F0000", "bad toml");
  toml::table t = std::move(r).table();
  Config c;
  auto dir = std::filesystem::absolute(path).parent_path();
  auto abs = [&](std::string s){ return s.empty()? s : (dir / s).string(); };
  c.listen.address = t["listen"]["address"].value_or(std::string("127.0.0.1"));
  c.listen.port = (uint16_t)t["listen"]["port"].value_or(6432);
  c.listen.unix_socket_dir = abs(t["listen"]["unix_socket_dir"].value_or(std::string()));
  c.listen.workers = t["listen"]["workers"].value_or(0);
  c.listen.max_clients = t["listen"]["max_clients"].value_or(10000);
  auto m = t["auth"]["method"].value_or(std::string("scram-sha-256"));
  c.auth.method = m=="trust"?AuthMethod::kTrust:m=="md5"?AuthMethod::kMd5:m=="password"?AuthMethod::kPassword:AuthMethod::kScramSha256;
  c.auth.users_file = abs(t["auth"]["users_file"].value_or(std::string()));
  auto pm = t["pool"]["mode"].value_or(std::string("transaction"));
  c.pool.mode = pm=="session"?PoolMode::kSession:pm=="statement"?PoolMode::kStatement:PoolMode::kTransaction;
  c.pool.size = t["pool"]["size"].value_or(50);
  if (auto* d = t["databases"].as_table()) for (auto&& [k,v] : *d) {
    Database db; db.name = std::string(k.str()); db.node.name = db.name;
    db.node.primary = (*v.as_table())["primary"].value_or(std::string());
    db.pool = c.pool; c.databases[db.name] = db;
  }
  return c;
}
std::vector<std::string> NeedRestart(const Config&, const Config&) { return {}; }
const Database* Config::FindDatabase(std::string_view name) const {
  auto it = databases.find(name); if (it == databases.end()) it = databases.find("*");
  return it == databases.end() ? nullptr : &it->second;
}
Pool Config::PoolFor(const Database& d, std::string_view) const { return d.pool; }
const std::string* Users::Find(std::string_view n) const { auto it = secrets_.find(n); return it==secrets_.end()?nullptr:&it->second; }
StatusOr<Users> LoadUsers(const std::string& p) { std::ifstream f(p); std::stringstream b; b << f.rdbuf(); return ParseUsers(b.str(), p); }
StatusOr<Users> ParseUsers(std::string_view text, const std::string&) {
  Users u; std::stringstream s{std::string(text)}; std::string l;
  while (std::getline(s,l)) { auto a=l.find('"'),b=l.find('"',a+1),c=l.find('"',b+1),d=l.find('"',c+1); if (d!=std::string::npos) u.secrets_[l.substr(a+1,b-a-1)]=l.substr(c+1,d-c-1); }
  return u;
}
}
