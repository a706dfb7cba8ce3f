// A session's beginning: who the client is, which pool serves it, which settings it has.

#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "net/address.h"
#include "pooler/node_monitor.h"
#include "proxy/authentication.h"
#include "proxy/error_response.h"
#include "proxy/session.h"
#include "proxy/startup.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

constexpr std::chrono::milliseconds kCatalogWait{1'000};
constexpr std::chrono::milliseconds kCatalogLook{5};

// One word of a server's command line, as wire::SplitOptions reads it back.
std::string EscapeOption(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == ' ' || (c >= '\t' && c <= '\r')) out += '\\';
    out += c;
  }
  return out;
}

std::string LowerCase(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

// Leaves out what the configuration ignores, and tells the server where the client is.
void AdaptSettings(const config::Listen& listen, const Peer& peer,
                   std::vector<wire::Setting>& settings) {
  const auto& ignored = listen.ignore_startup_parameters;
  std::erase_if(settings, [&ignored](const wire::Setting& setting) {
    return std::find(ignored.begin(), ignored.end(), LowerCase(setting.first)) != ignored.end();
  });
  if (!listen.application_name_add_host) return;
  std::string name = "app";
  std::erase_if(settings, [&name](const wire::Setting& setting) {
    const bool is_name = LowerCase(setting.first) == "application_name";
    if (is_name) name = setting.second;
    return is_name;
  });
  settings.emplace_back("application_name", fmt::format("{} - {}", name, peer.address));
}

// So that pgweir can log in to servers as this user.
void RememberKeys(pooler::Pools& pools, const pooler::Pools::Client& client, const Proof& proof) {
  if (client.secret == nullptr || KindOf(*client.secret) != SecretKind::kScram) return;
  wire::ScramKey client_key;
  if (proof.client_key.size() == client_key.size()) {
    std::copy(proof.client_key.begin(), proof.client_key.end(), client_key.begin());
    pools.RememberKeys(client.user, *client.secret, client_key);
  } else if (!proof.password.empty()) {
    pools.RememberPassword(client.user, *client.secret, proof.password);
  }
}

bool SameSecret(const Snapshot& a, const Snapshot& b, const std::string& user) {
  const std::string* one = a.users().Find(user);
  const std::string* other = b.users().Find(user);
  return (one == nullptr) == (other == nullptr) && (one == nullptr || *one == *other);
}

// Whoever runs pgweir owns it, and needs no password for its console.
bool IsOwner(const Client& client, const config::Config& config, const std::string& user) {
  if (user != config::kConsoleAlias && user != config.admin.database) return false;
  const auto peer = net::PeerOf(client.stream.socket().fd());
  return peer.has_value() && peer->uid == geteuid();
}

}  // namespace

net::Task<bool> Session::LogIn() {
  const SnapshotRef snapshot = host_.snapshot();
  client_.event.SetDeadline(DeadlineAfter(snapshot->config().listen.client_login_timeout));
  auto startup = co_await NegotiateStartup(client_, host_);
  if (!startup.has_value()) co_return false;
  const std::string user = startup->user;
  const std::string database = startup->database;
  Status admitted = co_await Admit(*std::move(startup));
  if (absl::IsCancelled(admitted) && client_.event.expired()) {
    admitted = Error(sqlstate::kQueryCanceled, "canceling authentication due to timeout");
  }
  if (absl::IsCancelled(admitted)) co_return false;
  if (!admitted.ok()) {
    LogInfo(
        "login refused session={} client={} user=\"{}\" database=\"{}\" sqlstate={} "
        "pooler error: {}",
        id_.value, client_.peer.address, user, database, SqlStateOf(admitted), MessageOf(admitted));
    co_await Say(admitted);
    co_return false;
  }
  LogInfoOrDebug(snapshot->config().log.connections,
                 "login attempt: db={} user={} tls={} session={} client={}", database, user,
                 client_.stream.tls() ? "yes" : "no", id_.value, client_.peer.address);
  client_.event.SetDeadline(kNoDeadline);
  logged_in_ = true;
  co_return SendWelcome();
}

// Whoever guesses passwords is answered later and later.
net::Task<void> Session::SlowDown(const std::string& user, const Status& refusal) {
  const std::string sqlstate = SqlStateOf(refusal);
  const bool counts =
      sqlstate == sqlstate::kInvalidPassword || sqlstate == sqlstate::kInvalidAuthorization;
  if (!counts || !client_.peer.ip.has_value()) co_return;
  const Duration first = host_.snapshot()->config().auth.failure_delay;
  const TimePoint now = Clock::now();
  co_await HoldBack(now + host_.shared().failures.Note(*client_.peer.ip, user, first, now));
}

net::Task<void> Session::HoldBack(TimePoint until) {
  const TimePoint deadline = client_.event.deadline();
  while (Clock::now() < until && host_.ending() == Ending::kNo &&
         !client_.stream.socket().hung_up()) {
    client_.event.SetDeadline(until);
    co_await client_.event.Wait();
  }
  client_.event.SetDeadline(deadline);
}

net::Task<Status> Session::Admit(wire::StartupMessage startup) {
  if (startup.minor > 0 || !startup.unsupported.empty()) {
    std::string message;
    wire::AppendNegotiateProtocolVersion(message, 0, startup.unsupported);
    if (!client_.Send(message)) co_return absl::CancelledError("client gone");
  }
  if (host_.ending() != Ending::kNo || client_.peer.late) {
    co_return Error(sqlstate::kCannotConnectNow, "pgweir is shutting down");
  }
  const SnapshotRef asked = host_.snapshot();
  const bool wants_console =
      asked->config().IsConsole(startup.database) && startup.replication.empty();
  if (client_.peer.over_limit && !wants_console) {
    co_return Errorf(sqlstate::kTooManyConnections,
                     "sorry, too many clients already: {} are connected (listen.max_clients)",
                     asked->config().listen.max_clients);
  }
  if (asked->config().listen.tls.mode == config::TlsMode::kVerifyFull && client_.stream.tls() &&
      net::PeerCommonName(client_.stream.ssl()) != startup.user) {
    co_return Errorf(sqlstate::kInvalidAuthorization,
                     "the client certificate is not for user \"{}\" (listen.tls.mode verify-full)",
                     startup.user);
  }
  if (wants_console && IsOwner(client_, asked->config(), startup.user)) {
    co_return AdmitToConsole(asked->config(), startup, true);
  }
  if (client_.peer.ip.has_value()) {
    co_await HoldBack(host_.shared().failures.HeldUntil(*client_.peer.ip, startup.user));
  }
  const auto proof = co_await Authenticate(client_, host_, *asked, startup);
  if (!proof.ok()) {
    co_await SlowDown(startup.user, proof.status());
    co_return proof.status();
  }
  // The client may have taken a minute over its answers: what a reload has said meanwhile counts.
  const SnapshotRef snapshot = host_.snapshot();
  if (!SameSecret(*asked, *snapshot, startup.user)) {
    co_return Errorf(sqlstate::kInvalidPassword, "password authentication failed for user \"{}\"",
                     startup.user);
  }
  const config::Config& config = snapshot->config();
  if (wants_console) co_return AdmitToConsole(config, startup, false);
  const config::Database* database = config.FindDatabase(startup.database);
  // Physical replication names no database (libpq says "replication"), so one alone is meant.
  if (database == nullptr && !startup.replication.empty() && config.databases.size() == 1) {
    database = &config.databases.begin()->second;
  }
  if (database == nullptr) {
    co_return Errorf(sqlstate::kInvalidCatalogName, "database \"{}\" does not exist",
                     startup.database);
  }
  if (host_.shared().pools.disabled(startup.database)) {
    co_return Errorf(sqlstate::kObjectNotInPrerequisiteState,
                     "database \"{}\" is disabled and takes no connections (ENABLE on the console "
                     "changes that)",
                     startup.database);
  }
  const pooler::Pools::Client asking{*database, startup.database, startup.user,
                                     proof->secret.has_value() ? &*proof->secret : nullptr,
                                     snapshot->number()};
  RememberKeys(host_.shared().pools, asking, *proof);
  auto admission = host_.shared().pools.Admit(config, asking);
  if (!admission.ok()) co_return admission.status();
  admission_ = *std::move(admission);
  user_ = startup.user;
  database_ = startup.database;
  if (!startup.replication.empty()) {
    replication_ = std::make_unique<const std::string>(startup.replication);
  }
  client_.counters = &host_.shared().statistics.Of(database_, host_.worker().index());
  if (!startup.replication.empty()) co_return co_await AdmitReplication(config, asking, startup);
  auto pool = host_.shared().pools.Get(config, asking);
  if (!pool.ok()) co_return pool.status();
  pool_ = *std::move(pool);
  host_.shared().nodes.Lend(database->name, database->node.name, pool_);
  const config::Pool limits = pool_->limits();
  own_.Configure(limits);
  TimeLimits time_limits;
  time_limits.Configure(limits);
  if (time_limits.any()) time_limits_ = std::make_unique<TimeLimits>(time_limits);

  // Where both set the same, the start-up parameter wins over `options`, as on a server.
  std::vector<wire::Setting> settings = std::move(startup.options);
  settings.insert(settings.end(), startup.settings.begin(), startup.settings.end());
  AdaptSettings(config.listen, client_.peer, settings);
  const Status learnt = co_await LearnSettings(std::move(settings));
  if (!learnt.ok()) co_return learnt;
  NodeCatalogRef catalog =
      host_.shared().catalogs.Get(database->node.name, asking.database_name, pool_);
  co_await AwaitCatalog(*catalog);
  const wire::ParametersRef everybodys = pool_->login_parameters();
  own_.state.set_login(own_.parameters, everybodys != nullptr ? everybodys : own_.parameters);
  own_.catalog = std::move(catalog);
  if (proof->secret.has_value()) secret_ = std::make_unique<const std::string>(*proof->secret);
  at_ = &home_;
  at_->name = database->node.name;
  at_->primary = pool_;
  at_->server_database = ServersDatabase(database->node, database_);
  at_->copies = CopiesOf(*database, database->node, pool_);
  if (database->shard_map != nullptr) {
    sharding_ = std::make_unique<Sharding>();
  }
  UseCache();
  watch_.Begin(*this);
  if (guides()) {
    requests_.ReadOneByOne();
    own_.guided = true;
  }
  membership_ = pooler::Pool::Member(pool_);
  co_return learnt;
}

// Without it nothing is wrong, but every statement is suspect: the first clients wait a little.
net::Task<void> Session::AwaitCatalog(const NodeCatalog& catalog) {
  const TimePoint until = Clock::now() + kCatalogWait;
  while (catalog.Get() == nullptr && Clock::now() < until && !MustEnd()) {
    client_.event.SetDeadline(Clock::now() + kCatalogLook);
    co_await client_.event.Wait();
  }
  client_.event.SetDeadline(kNoDeadline);
}

// A replication connection gets a backend of its own, opened with the client's start-up parameters,
// for as long as it lives. What it says is not SQL.
net::Task<Status> Session::AdmitReplication(const config::Config& config,
                                            const pooler::Pools::Client& asking,
                                            const wire::StartupMessage& startup) {
  std::string options;
  for (const auto& settings : {startup.options, startup.settings}) {
    for (const auto& [name, value] : settings) {
      if (name != "application_name") options += " -c " + EscapeOption(name + "=" + value);
    }
  }
  std::vector<std::pair<std::string, std::string>> keywords = {{"replication", startup.replication},
                                                               {"options", options}};
  for (const auto& [name, value] : startup.settings) {
    if (name == "application_name") keywords.emplace_back(name, value);
  }
  auto pool =
      host_.shared().pools.MakeDedicated(config, asking, std::move(keywords), "replication");
  if (!pool.ok()) co_return pool.status();
  pool_ = *std::move(pool);
  dedicated_ = true;
  membership_ = pooler::Pool::Member(pool_);
  const config::Pool limits = pool_->limits();
  own_.Configure(limits);
  auto acquired = co_await AwaitLease();
  if (!acquired.ok()) co_return acquired.status();
  Attach(*std::move(acquired));
  own_.parameters = relay().lease()->parameters;
  co_return absl::OkStatus();
}

// What the server makes of the client's start-up settings: remembered of an earlier client with the
// same, or asked of a backend. Refused settings refuse the login, in the server's words.
net::Task<Status> Session::LearnSettings(std::vector<wire::Setting> settings) {
  const std::string sql = wire::SettingsSql(settings);
  own_.parameters = sql.empty() ? pool_->login_parameters() : pool_->FindSettings(sql);
  if (own_.parameters != nullptr) co_return absl::OkStatus();
  const TimePoint login_deadline =
      DeadlineAfter(host_.snapshot()->config().listen.client_login_timeout);

  wire::Parameters wanted;
  wanted.set_unreported(settings);

  pooler::Lease lease = pool_->TryAcquire(client_.event, wanted.custom_settings());
  while (true) {
    if (!lease) {
      auto acquired = co_await AwaitLease();
      if (!acquired.ok()) co_return acquired.status();
      lease = *std::move(acquired);
    }
    if (lease->custom_settings != 0 && lease->custom_settings != wanted.custom_settings()) {
      lease.Discard();
      continue;
    }
    Attach(std::move(lease));
    if (SeemsGood(*relay().lease(), Clock::now()) || co_await CheckAlive()) break;
    Detach();
    lease = pool_->TryAcquire(client_.event, wanted.custom_settings());
  }
  if (!sql.empty()) {
    relay().lease()->custom_settings = wanted.custom_settings();
    const Status set = co_await RunCommand(wire::SettingsReset(*relay().lease()->parameters) + sql,
                                           login_deadline);
    if (!set.ok()) {
      // The failed command left the connection as it was.
      if (relay().Free()) relay().lease().Return();
      Detach();
      co_return set;
    }
    auto parameters = std::make_shared<wire::Parameters>(*relay().lease()->parameters);
    std::erase_if(settings, [&](const wire::Setting& setting) {
      return wire::IsReportedAndSettable(setting.first) &&
             parameters->Find(setting.first) != nullptr;
    });
    parameters->set_unreported(std::move(settings));
    relay().lease()->parameters = std::move(parameters);
    pool_->RememberSettings(sql, relay().lease()->parameters);
  }
  if (sql.empty()) own_.parameters = pool_->login_parameters();
  // A reload may just have made the pool forget.
  if (!sql.empty() || own_.parameters == nullptr) {
    own_.parameters = relay().lease()->parameters;
  }
  if (relay().Free()) relay().lease().Return();
  Detach();
  co_return absl::OkStatus();
}

// Who may do what on the console.
Status Session::AdmitToConsole(const config::Config& config, const wire::StartupMessage& startup,
                               bool is_owner) {
  const auto listed = [&](const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), startup.user) != names.end();
  };
  const bool is_admin = is_owner || config.admin.everybody || listed(config.admin.users);
  if (!is_admin && !listed(config.admin.stats_users)) {
    return Errorf(sqlstate::kInvalidAuthorization,
                  "user \"{}\" may not use the console (admin.users, admin.stats_users)",
                  startup.user);
  }
  user_ = startup.user;
  database_ = startup.database;
  console_ = std::make_unique<Console>(
      id_, host_, client_, user_, is_admin ? Console::Rights::kAdmin : Console::Rights::kStats);
  own_.parameters = Console::Welcome();
  return absl::OkStatus();
}

bool Session::SendWelcome() {
  client_.counters->Add(Stat::kLogins);
  std::string message;
  wire::AppendAuthenticationOk(message);
  for (const auto& [name, value] : own_.parameters->reported()) {
    wire::AppendParameterStatus(message, name, value);
  }
  const CancelKeys::Key key = host_.shared().cancel_keys.Issue({host_.worker().index(), id_});
  cancel_id_ = key.process_id;
  std::copy(key.secret.begin(), key.secret.end(), cancel_secret_.begin());
  wire::AppendBackendKeyData(message, key.process_id, key.secret);
  wire::AppendReadyForQuery(message, wire::TransactionStatus::kIdle);
  return client_.Send(message);
}

}  // namespace pgweir::proxy
