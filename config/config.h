#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "config/http_url.h"
#include "config/shard_map.h"

// The configuration as values. Immutable once loaded: a reload makes a new one, and each thread
// keeps the snapshot it works with. docs/configuration.md says what every key means.

namespace pgweir::config {

using std::chrono::milliseconds;

// libpq's sslmode, seen from the server's side: allow and prefer both accept either kind of client.
enum class TlsMode { kDisable, kAllow, kPrefer, kRequire, kVerifyCa, kVerifyFull };
enum class AuthMethod { kTrust, kPassword, kMd5, kScramSha256, kCert, kHba };
enum class PoolMode { kSession, kTransaction, kStatement };
// What becomes of a statement whose effect on its session can't be carried to another backend.
enum class OnSessionState { kPin, kReject, kAllow };
// What a read may miss: writes of others and of its own session, only those of others, nothing.
enum class Consistency { kEventual, kSession, kPrimary };
// What reads get when none of a node's replicas can take them.
enum class ReplicaFallback { kPrimary, kError };
// Whether a rule's answers are served, only counted as if they were, or neither.
enum class CacheMode { kOn, kShadow, kOff };
// Which reads within a transaction may be answered from the cache: none, or those of a READ
// COMMITTED one that has done nothing but read so far.
enum class CacheInTransactions { kNever, kUntilWrite };
// What of a statement's values leaves the slow-query log: none, its parameters, its literals too.
enum class Redact { kNone, kParameters, kLiterals };
enum class LogLevel { kTrace, kDebug, kInfo, kWarning, kError };

struct Tls {
  TlsMode mode = TlsMode::kDisable;
  std::string certificate;  // paths of PEM files, absolute once loaded; "" = none
  std::string key;
  std::string ca;
  bool operator==(const Tls&) const = default;
};

// When a client's machine that says nothing is taken for gone. Zero: as the system does.
struct TcpKeepalive {
  bool on = true;
  milliseconds idle{60'000};      // silence before the first probe
  milliseconds interval{15'000};  // between probes
  int count = 4;                  // that are not answered
  milliseconds user_timeout{0};   // of sent data that is not acknowledged
  bool operator==(const TcpKeepalive&) const = default;
};

struct Listen {
  std::string address = "127.0.0.1";  // several with commas; "" = no TCP, "*" = every address
  uint16_t port = 6432;
  std::string unix_socket_dir;    // "" = none
  int unix_socket_mode = 0777;    // of the socket's file
  std::string unix_socket_group;  // likewise; "" = the process's own
  int workers = 0;                // 0 = one a core
  int max_clients = 10000;
  milliseconds client_login_timeout{60'000};  // 0 = none
  bool so_reuseport = false;  // another process may listen on the same port and socket
  // Balancers, which say whose connection they bring by the PROXY protocol.
  std::vector<IpRange> proxy_protocol;
  // Start-up parameters, in lower case, that are left out as if the client had not sent them.
  std::vector<std::string> ignore_startup_parameters;
  bool application_name_add_host = false;  // clients' application_name gets their address appended
  TcpKeepalive tcp_keepalive;
  Tls tls;
  bool operator==(const Listen&) const = default;
};

// How a database is asked for the secret of a user that the users file has not.
struct AuthQuery {
  std::string sql;       // "" = not at all
  std::string user;      // as whom; "" = as the connection string says
  std::string database;  // the entry that is asked; "" = the client's own
  bool operator==(const AuthQuery&) const = default;
};

struct Auth {
  AuthMethod method = AuthMethod::kScramSha256;
  std::string users_file;                // absolute once loaded, like the others; "" = no users
  bool allow_plain_without_tls = false;  // method "password" over an unencrypted TCP connection
  std::string hba_file;                  // for method "hba"
  std::string ident_file;
  std::string ident_map;  // for method "cert"; "" = the certificate's name is the user's
  std::string query;      // see AuthQuery
  std::string query_user;
  std::string query_database;
  milliseconds query_cache{60'000};  // 0 = every login asks
  milliseconds failure_delay{500};   // after the third failed login of an address; 0 = none
  // Whatever the method, only users of the users file and of the query are admitted.
  bool known_users_only = false;
  bool operator==(const Auth&) const = default;
};

struct Pool {
  PoolMode mode = PoolMode::kTransaction;
  int size = 50;
  int overflow = 0;
  int min_size = 0;
  // Caps that pools share, and on clients that are logged in; 0 = none. Each counts as set for its
  // own kind: of the database, of the user, of the node (see docs/configuration.md).
  int max_db_connections = 0;
  int max_user_connections = 0;
  int max_node_connections = 0;
  int max_db_client_connections = 0;
  int max_user_client_connections = 0;
  milliseconds wait_timeout{30'000};   // 0 = waits for ever
  milliseconds recycle{3'600'000};     // 0 = never
  milliseconds idle_timeout{600'000};  // 0 = never
  bool pre_ping = true;
  int max_prepared_statements = 200;  // per backend
  OnSessionState on_session_state = OnSessionState::kPin;
  milliseconds server_connect_timeout{15'000};
  milliseconds cleanup_timeout{5'000};  // bound of cancel, drain, ROLLBACK and reset
  // What clients may take their time for; 0 = for ever.
  milliseconds query_timeout{0};
  milliseconds transaction_timeout{0};
  milliseconds idle_transaction_timeout{0};
  milliseconds client_idle_timeout{0};
  milliseconds query_wait_notify{5'000};  // a client is told that it waits for a backend
  // Between two questions to each server of a node that has several; 0 = none is asked.
  milliseconds health_check_interval{500};
  bool operator==(const Pool&) const = default;
};

struct Replica {
  std::string conninfo;             // libpq connection string, key=value or URI
  std::vector<std::string> labels;  // reads that ask for one of them come here, others don't
  bool operator==(const Replica&) const = default;
};

// One primary and the replicas that follow it.
struct Node {
  std::string name;
  std::string primary;  // libpq connection string
  std::vector<Replica> replicas;
  bool operator==(const Node&) const = default;
};

// The labels of the replicas that answer reads of whom, by their names.
struct ReplicaLabels {
  std::map<std::string, std::string, std::less<>> users;
  std::map<std::string, std::string, std::less<>> application_names;
  bool operator==(const ReplicaLabels&) const = default;
};

// The keys of a pool table that lies over another: a database's over [pool], a user's over both.
struct PoolOverride {
  std::optional<PoolMode> mode;
  std::optional<OnSessionState> on_session_state;
  std::optional<int> size, overflow, min_size, max_prepared_statements;
  std::optional<int> max_db_connections, max_user_connections, max_node_connections,
      max_db_client_connections, max_user_client_connections;
  std::optional<milliseconds> wait_timeout, recycle, idle_timeout, server_connect_timeout,
      cleanup_timeout, query_timeout, transaction_timeout, idle_transaction_timeout,
      client_idle_timeout, query_wait_notify, health_check_interval;
  std::optional<bool> pre_ping;
  bool operator==(const PoolOverride&) const = default;
};

struct Database {
  std::string name;         // "*" serves every other name
  Node node;                // the only one, or the one that holds what the shard map doesn't list
  std::vector<Node> nodes;  // all of them, `node` included
  std::shared_ptr<const ShardMap> shard_map;  // null = one node holds everything
  Consistency consistency = Consistency::kSession;
  milliseconds max_lag{10'000};  // a replica further behind gets no reads
  ReplicaFallback replica_fallback = ReplicaFallback::kPrimary;
  ReplicaLabels labels;
  Pool pool;         // [pool] with `own` over it
  PoolOverride own;  // what [databases.NAME.pool] sets
  // "*" leads every name to the database that its connection string names.
  bool keeps_dbname = false;
  // An md5 or SCRAM secret for the user that the connection string names without a password.
  std::string login_secret;
  std::optional<AuthQuery> auth_query;  // in place of [auth]'s

  // The one, or all of the shard map.
  std::span<const Node> all_nodes() const {
    return nodes.empty() ? std::span<const Node>(&node, 1) : std::span<const Node>(nodes);
  }
  // Null when it has none of this name.
  const Node* FindNode(std::string_view node_name) const;
  bool operator==(const Database&) const = default;
};

// `pool` with what `over` sets.
Pool Overlay(Pool pool, const PoolOverride& over);

// What may be cached, and for how long. One of `tables`, `digest` and `pattern` is set.
struct CacheRule {
  std::vector<std::string> tables;  // NAME or SCHEMA.NAME; the statement reads no others
  std::optional<uint64_t> digest;
  std::string pattern;  // RE2, found anywhere in the normalised text
  CacheMode mode = CacheMode::kOn;
  milliseconds ttl{5'000};
  std::optional<milliseconds> empty_ttl;  // for answers without rows; none = ttl
  milliseconds stale_while_revalidate{0};
  milliseconds stale_if_error{0};
  bool allow_stable = false;              // functions such as now()
  std::vector<std::string> key_settings;  // that row-level security may look at
  double verify = 0;                      // share of hits that are run on the server as well
  bool verify_disables = false;           // where these differ the rule is used no more
  bool operator==(const CacheRule&) const = default;
};

struct Cache {
  bool enabled = false;
  uint64_t max_bytes = uint64_t{256} << 20;
  uint64_t max_entry_bytes = uint64_t{1} << 20;
  CacheInTransactions in_transactions = CacheInTransactions::kNever;
  std::vector<CacheRule> rules;  // the first that matches counts
  bool operator==(const Cache&) const = default;
};

// Of whom or what the slow-query log has another threshold. Empty = whoever, whatever.
struct SlowLogRule {
  std::string database;
  std::string user;
  std::optional<uint64_t> digest;
  std::optional<milliseconds> threshold;  // none = as [slow_log]'s
  std::optional<double> sample;           // likewise
  bool operator==(const SlowLogRule&) const = default;
};

// The slow-query log.
struct SlowLog {
  std::string path;             // absolute once loaded; "" = none
  milliseconds threshold{100};  // statements that take as long are logged; 0 = all
  double sample = 0;            // share of the others that is logged, too
  bool errors = true;           // statements that fail, however long they take
  Redact redact = Redact::kNone;
  uint64_t parameter_max_length = uint64_t{1} << 10;  // bytes of each parameter
  uint64_t statement_max_length = uint64_t{1} << 20;
  int max_lines_per_second = 1000;               // 0 = any number
  uint64_t max_queue_bytes = uint64_t{8} << 20;  // of lines not written yet
  uint64_t rotate_size = uint64_t{256} << 20;    // 0 = never, likewise below
  milliseconds rotate_age{86'400'000};
  int keep = 7;                         // rotated files
  bool plans = false;                   // of slow statements are asked for, too
  milliseconds plan_interval{600'000};  // each digest's once in it
  std::vector<SlowLogRule> rules;       // the first that matches counts
  bool operator==(const SlowLog&) const = default;
};

// Statements as spans, sent to a collector by OpenTelemetry's protocol.
struct Traces {
  std::optional<HttpUrl> otlp;  // where to; none = nowhere
  double sample = 0;            // share of the statements that have no traceparent
  std::string service_name = "pgweir";
  uint64_t max_queue_bytes = uint64_t{8} << 20;  // of spans not sent yet
  bool operator==(const Traces&) const = default;
};

// What PgBouncer calls its console.
inline constexpr std::string_view kConsoleAlias = "pgbouncer";

// The console: a database of pgweir's own, for operators and their tools.
struct Admin {
  std::string database = "pgweir";  // "pgbouncer" leads there too
  std::vector<std::string> users = {"postgres"};
  std::vector<std::string> stats_users;  // who may look but not act
  bool everybody = false;                // whoever gets in may use it
  bool old_columns = false;              // those that PgBouncer once had, behind the others
  std::string http;                      // "address:port" of metrics and health; "" = none
  // Paths: of its certificate and key, both or neither; and of what has to be shown, or "".
  std::string http_certificate, http_key, http_token_file;
  bool operator==(const Admin&) const = default;
};

struct Log {
  LogLevel level = LogLevel::kInfo;
  std::string file;     // absolute once loaded, beside stderr; "" = none
  bool syslog = false;  // likewise
  std::string syslog_ident = "pgweir";
  std::string syslog_facility = "daemon";
  bool connections = false;           // logins at level info, not debug
  bool disconnections = false;        // likewise
  bool stats = true;                  // a line each period
  milliseconds stats_period{60'000};  // also of the averages that the console shows
  bool operator==(const Log&) const = default;
};

// What the process does with itself before it serves.
struct Process {
  std::string pid_file;  // absolute once loaded; "" = none
  std::string user;      // whom root becomes; "" = nobody else
  bool operator==(const Process&) const = default;
};

// Another process behind the same address, to which cancel requests for its clients are passed on.
struct Peer {
  std::string host;  // a name, an address, or the folder of a unix socket
  uint16_t port = 6432;
  int pool_size = 0;  // cancel requests under way at once; 0 = pool.size
  bool operator==(const Peer&) const = default;
};

struct Config {
  Listen listen;
  Auth auth;
  Pool pool;
  Admin admin;
  Log log;
  Process process;
  Cache cache;
  SlowLog slow_log;
  Traces traces;
  int peer_id = 0;  // of this process among `peers`; 0 = it has none
  std::map<int, Peer> peers;
  std::map<std::string, Database, std::less<>> databases;
  std::map<std::string, PoolOverride, std::less<>> users;
  // What the file asks for and gets otherwise or not at all; "FILE:LINE:COLUMN: ..." each.
  std::vector<std::string> warnings;

  // How many cancel requests may be on their way to a peer.
  int CancelsAtOnce(const Peer& peer) const {
    return peer.pool_size == 0 ? pool.size : peer.pool_size;
  }

  // The database that a client asking for `name` gets: its own entry, else "*", else null. The
  // result lives as long as this Config.
  const Database* FindDatabase(std::string_view name) const;

  // How the secret of a client asking for the database `name` is looked up.
  AuthQuery AuthQueryFor(std::string_view name) const;

  // Whether any database is asked for secrets.
  bool AsksForSecrets() const;

  // Whether a client asking for `name` means the console.
  bool IsConsole(std::string_view name) const;

  // The pool limits for a client of `database` logged in as `user`.
  Pool PoolFor(const Database& database, std::string_view user) const;
  // What holds for a user in all databases together: [pool] with the user's own keys over it.
  Pool UserPool(std::string_view user) const;
  // pool.max_node_connections of a node: the least that a database of it sets; 0 = none does.
  int MaxNodeConnections(std::string_view node) const;
  bool operator==(const Config&) const = default;
};

using Snapshot = std::shared_ptr<const Config>;

}  // namespace pgweir::config
