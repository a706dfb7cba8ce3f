#include "pooler/conninfo.h"

#include <libpq-fe.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <span>

namespace pgweir::pooler {
namespace {

// Where PostgreSQL's packages put the socket, which libpq has compiled in.
constexpr std::string_view kSocketFolder = "/var/run/postgresql";

// As for the connections that libpq opens.
constexpr int kTcpUserTimeoutMs = 30'000;

using Options = ConninfoOptions;

// Those that mean something here, and those that a login by a hash has no use for.
constexpr std::array<std::string_view, 34> kHonoured = {
    "host", "hostaddr", "port", "dbname", "user", "connect_timeout", "client_encoding", "options",
    "application_name", "fallback_application_name", "replication", "keepalives", "keepalives_idle",
    "keepalives_interval", "keepalives_count", "tcp_user_timeout", "sslmode", "sslrootcert",
    "sslcrl", "sslcrldir", "sslcert", "sslkey", "sslpassword", "sslsni", "ssl_min_protocol_version",
    "ssl_max_protocol_version", "channel_binding", "target_session_attrs",
    // Without effect: no password is known, and GSSAPI is switched off as for libpq.
    "password", "passfile", "gssencmode", "krbsrvname", "gsslib", "sslcompression"};

struct OptionsDeleter {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using OptionsPtr = std::unique_ptr<PQconninfoOption, OptionsDeleter>;

Status Bad(std::string_view why) {
  return Errorf(sqlstate::kConfigFileError, "bad connection string: {}", why);
}

Status NotHonoured(std::string_view keyword) {
  return Errorf(sqlstate::kConfigFileError,
                "the connection string's {} can't be honoured for a login by an md5 or SCRAM "
                "secret (it can with user and password in the connection string)",
                keyword);
}

// libpq quotes what it does not understand, which may be the password or the whole URI.
std::string WithoutQuotations(std::string_view reason) {
  std::string out;
  while (true) {
    const size_t begin = reason.find('"');
    const size_t end = begin == std::string_view::npos ? begin : reason.find('"', begin + 1);
    if (end == std::string_view::npos) return out.append(reason.substr(0, begin));
    out.append(reason.substr(0, begin)).append(end - begin == 2 ? reason.substr(begin, 3) : "...");
    reason.remove_prefix(end + 1);
  }
}

StatusOr<OptionsPtr> Parse(const std::string& connection_string) {
  char* message = nullptr;
  OptionsPtr options(PQconninfoParse(connection_string.c_str(), &message));
  if (options != nullptr) return options;
  std::string reason = message != nullptr ? message : "out of memory";
  PQfreemem(message);
  while (!reason.empty() && reason.back() == '\n') reason.pop_back();
  return Bad(WithoutQuotations(reason));
}

void Merge(const PQconninfoOption* from, Options& into) {
  for (; from != nullptr && from->keyword != nullptr; ++from) {
    if (from->val != nullptr) into[from->keyword] = from->val;
  }
}

// The target's, the string's, the environment's, libpq's own; the first that there is.
StatusOr<Options> AllOptions(const Target& target) {
  StatusOr<OptionsPtr> given = Parse(target.connection_string);
  if (!given.ok()) return given.status();
  Options all;
  Merge(OptionsPtr(PQconndefaults()).get(), all);
  all.erase("service");  // the environment's, whose file libpq has read for us by now
  Merge(given->get(), all);
  for (const auto& [keyword, value] : all) {
    const bool honoured = std::ranges::find(kHonoured, keyword) != kHonoured.end();
    if (!value.empty() && !honoured) return NotHonoured(keyword);
  }
  for (const auto& [keyword, value] : target.keywords) all[keyword] = value;
  if (!target.database.empty()) all["dbname"] = target.database;
  if (!target.user.empty()) all["user"] = target.user;
  return all;
}

std::string Take(const Options& options, std::string_view keyword) {
  const auto found = options.find(keyword);
  return found == options.end() ? "" : found->second;
}

StatusOr<int> TakeNumber(const Options& options, std::string_view keyword, int otherwise) {
  const std::string text = Take(options, keyword);
  if (text.empty()) return otherwise;
  int value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc{} && stop == end) return value;
  return Bad(fmt::format("{} is no whole number", keyword));
}

template <typename E>
StatusOr<E> TakeChoice(const Options& options, std::string_view keyword,
                       std::span<const std::string_view> names, E otherwise) {
  const std::string text = Take(options, keyword);
  if (text.empty()) return otherwise;
  const auto found = std::ranges::find(names, text);
  if (found != names.end()) return static_cast<E>(found - names.begin());
  return Bad(fmt::format("{} has an unknown value", keyword));
}

std::vector<std::string> SplitList(const std::string& text) {
  std::vector<std::string> parts;
  size_t from = 0;
  for (size_t comma; (comma = text.find(',', from)) != std::string::npos; from = comma + 1) {
    parts.push_back(text.substr(from, comma - from));
  }
  parts.push_back(text.substr(from));
  return parts;
}

bool IsSocketFolder(const std::string& host) {
  return host.starts_with('/') || host.starts_with('@');
}

Status ReadSockets(const Options& options, ConnectionSettings& settings) {
  int connect_timeout = 0, keepalives = 1;
  for (const auto& [keyword, otherwise, into] :
       {std::tuple("connect_timeout", 0, &connect_timeout),
        std::tuple("keepalives", 1, &keepalives),
        std::tuple("keepalives_idle", 0, &settings.keepalives_idle),
        std::tuple("keepalives_interval", 0, &settings.keepalives_interval),
        std::tuple("keepalives_count", 0, &settings.keepalives_count),
        std::tuple("tcp_user_timeout", kTcpUserTimeoutMs, &settings.tcp_user_timeout_ms)}) {
    const StatusOr<int> number = TakeNumber(options, keyword, otherwise);
    if (!number.ok()) return number.status();
    *into = std::max(*number, 0);
  }
  settings.keepalives = keepalives != 0;
  settings.connect_timeout = std::chrono::seconds(connect_timeout);
  return absl::OkStatus();
}

// A file of the user's own that libpq looks for too; "" when there is none.
std::string HomeFile(std::string_view name) {
  passwd about{};
  passwd* found = nullptr;
  std::array<char, 4096> buffer;
  getpwuid_r(geteuid(), &about, buffer.data(), buffer.size(), &found);
  if (found == nullptr || found->pw_dir == nullptr) return "";
  std::string path = fmt::format("{}/.postgresql/{}", found->pw_dir, name);
  return access(path.c_str(), R_OK) == 0 ? path : "";
}

Status ReadTls(const Options& options, ConnectionSettings& settings) {
  constexpr std::array<std::string_view, 6> kModes = {"disable", "allow",     "prefer",
                                                      "require", "verify-ca", "verify-full"};
  constexpr std::array<std::string_view, 3> kBindings = {"disable", "prefer", "require"};
  const auto mode = TakeChoice(options, "sslmode", kModes, SslMode::kPrefer);
  if (!mode.ok()) return mode.status();
  settings.ssl_mode = *mode;
  const auto binding = TakeChoice(options, "channel_binding", kBindings, ChannelBinding::kPrefer);
  if (!binding.ok()) return binding.status();
  settings.channel_binding = *binding;
  if (settings.ssl_mode == SslMode::kDisable) return absl::OkStatus();

  const auto file = [&](std::string_view keyword, std::string_view at_home) {
    const std::string given = Take(options, keyword);
    return given.empty() ? HomeFile(at_home) : given;
  };
  net::TlsClientSettings& tls = settings.tls;
  tls.authorities = file("sslrootcert", "root.crt");
  tls.revoked = file("sslcrl", "root.crl");
  tls.revoked_folder = Take(options, "sslcrldir");
  tls.certificate = file("sslcert", "postgresql.crt");
  tls.key = file("sslkey", "postgresql.key");
  tls.key_password = Take(options, "sslpassword");
  tls.oldest = Take(options, "ssl_min_protocol_version");
  tls.newest = Take(options, "ssl_max_protocol_version");
  tls.send_name = Take(options, "sslsni") != "0";
  // libpq passes over a certificate that isn't there.
  if (!tls.certificate.empty() && access(tls.certificate.c_str(), F_OK) != 0) {
    tls.certificate.clear();
  }
  if (tls.key.find(':') != std::string::npos) return NotHonoured("sslkey (an engine's)");
  if (!tls.certificate.empty() && tls.key.empty()) {
    return Bad("sslcert is there, but sslkey is not");
  }
  // Authorities that are there are asked, whatever the mode.
  const bool known = !tls.authorities.empty() && access(tls.authorities.c_str(), F_OK) == 0;
  tls.verify = known;
  if (!known && settings.ssl_mode >= SslMode::kVerifyCa) {
    return Bad(
        "sslmode=verify-ca and verify-full need the authorities' certificates, and the file "
        "of sslrootcert does not exist");
  }
  return absl::OkStatus();
}

Status ReadStartup(const Options& options, ConnectionSettings& settings) {
  settings.user = Take(options, "user");
  if (settings.user.empty()) return Bad("no user");
  std::string application = Take(options, "application_name");
  if (application.empty()) application = Take(options, "fallback_application_name");
  const std::string encoding = Take(options, "client_encoding");
  if (encoding == "auto") return NotHonoured("client_encoding=auto");
  for (const auto& [name, value] :
       {wire::Setting("user", settings.user), wire::Setting("database", Take(options, "dbname")),
        wire::Setting("replication", Take(options, "replication")),
        wire::Setting("options", Take(options, "options")),
        wire::Setting("application_name", application),
        wire::Setting("client_encoding", encoding)}) {
    if (!value.empty()) settings.startup.emplace_back(name, value);
  }
  return absl::OkStatus();
}

}  // namespace

// libpq documentation, "Specifying Multiple Hosts".
StatusOr<std::vector<ServerHost>> HostsIn(const ConninfoOptions& options) {
  const std::string names = Take(options, "host"), addresses = Take(options, "hostaddr");
  const std::vector<std::string> name = SplitList(names), address = SplitList(addresses);
  const std::vector<std::string> port = SplitList(Take(options, "port"));
  const size_t count = addresses.empty() ? name.size() : address.size();
  if (!addresses.empty() && !names.empty() && name.size() != count) {
    return Bad("host and hostaddr list different numbers of servers");
  }
  if (port.size() != 1 && port.size() != count) {
    return Bad("port lists another number of servers than host");
  }
  std::vector<ServerHost> hosts(count);
  for (size_t i = 0; i < count; ++i) {
    ServerHost& host = hosts[i];
    if (!names.empty()) host.name = name[i];
    if (!addresses.empty()) host.address = address[i];
    if (host.name.empty() && host.address.empty()) host.name = kSocketFolder;
    host.unix_socket = host.address.empty() && IsSocketFolder(host.name);
    host.port = port.size() == 1 ? port[0] : port[i];
    if (host.port.empty()) host.port = "5432";
    int number = 0;
    const char* end = host.port.data() + host.port.size();
    const auto [stop, error] = std::from_chars(host.port.data(), end, number);
    if (error != std::errc{} || stop != end || number < 1 || number > 65535) {
      return Bad("port is no number from 1 to 65535");
    }
  }
  return hosts;
}

StatusOr<ConnectionSettings> ReadConninfo(const Target& target) {
  constexpr std::array<std::string_view, 6> kAttributes = {
      "any", "read-write", "read-only", "primary", "standby", "prefer-standby"};
  const StatusOr<Options> options = AllOptions(target);
  if (!options.ok()) return options.status();
  ConnectionSettings settings;
  StatusOr<std::vector<ServerHost>> hosts = HostsIn(*options);
  if (!hosts.ok()) return hosts.status();
  settings.hosts = *std::move(hosts);
  const auto attributes =
      TakeChoice(*options, "target_session_attrs", kAttributes, SessionAttributes::kAny);
  if (!attributes.ok()) return attributes.status();
  settings.attributes = *attributes;
  for (const auto read : {ReadSockets, ReadTls, ReadStartup}) {
    const Status status = read(*options, settings);
    if (!status.ok()) return status;
  }
  return settings;
}

StatusOr<ConninfoOptions> ParseConninfo(const std::string& connection_string) {
  const StatusOr<OptionsPtr> options = Parse(connection_string);
  if (!options.ok()) return options.status();
  ConninfoOptions all;
  Merge(options->get(), all);
  return all;
}

StatusOr<std::string> UserIn(const std::string& connection_string) {
  const auto options = ParseConninfo(connection_string);
  if (!options.ok()) return options.status();
  return Take(*options, "user");
}

Destination DestinationOf(const std::string& connection_string) {
  const auto options = ParseConninfo(connection_string);
  if (!options.ok()) return {};
  Destination destination{.host = Take(*options, "host"),
                          .port = Take(*options, "port"),
                          .database = Take(*options, "dbname"),
                          .user = Take(*options, "user")};
  if (destination.host.empty()) destination.host = Take(*options, "hostaddr");
  return destination;
}

}  // namespace pgweir::pooler
