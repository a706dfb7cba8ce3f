// A session's beginning: who the client is, which pool serves it, which settings it has.

#include "base/log.h"
#include "proxy/authentication.h"
#include "proxy/error_response.h"
#include "proxy/session.h"
#include "proxy/startup.h"
#include "wire/messages.h"

namespace pgweir::proxy {

net::Task<bool> Session::LogIn() {
  const SnapshotRef snapshot = host_.snapshot();
  client_.event.SetDeadline(DeadlineAfter(snapshot->config().listen.client_login_timeout));
  auto startup = co_await NegotiateStartup(client_, host_);
  if (!startup.has_value()) co_return false;
  const std::string user = startup->user;
  const std::string database = startup->database;
  const Status admitted = co_await Admit(*std::move(startup));
  if (absl::IsCancelled(admitted)) co_return false;
  if (!admitted.ok()) {
    LogInfo(
        "login refused session={} client={} user=\"{}\" database=\"{}\" sqlstate={} reason=\"{}\"",
        id_.value, client_.peer.address, user, database, SqlStateOf(admitted), MessageOf(admitted));
    co_await Say(admitted);
    co_return false;
  }
  LogDebug("login session={} client={} user=\"{}\" database=\"{}\" tls={}", id_.value,
           client_.peer.address, user, database, client_.stream.tls());
  client_.event.SetDeadline(kNoDeadline);
  co_return SendWelcome();
}

net::Task<Status> Session::Admit(wire::StartupMessage startup) {
  if (startup.minor > 0 || !startup.unsupported.empty()) {
    std::string message;
    wire::AppendNegotiateProtocolVersion(message, 0, startup.unsupported);
    if (!client_.Send(message)) co_return absl::CancelledError("client gone");
  }
  if (host_.ending() != Ending::kNo) {
    co_return Error(sqlstate::kCannotConnectNow, "pgweir is shutting down");
  }
  const SnapshotRef snapshot = host_.snapshot();
  const config::Config& config = snapshot->config();
  if (client_.peer.over_limit) {
    co_return Errorf(sqlstate::kTooManyConnections,
                     "sorry, too many clients already: {} are connected (listen.max_clients)",
                     config.listen.max_clients);
  }
  const Status authentic = co_await Authenticate(client_, *snapshot, startup.user);
  if (!authentic.ok()) co_return authentic;
  if (!startup.replication.empty()) {
    co_return Error(sqlstate::kFeatureNotSupported,
                    "replication connections are not served: connect to the server itself");
  }
  const config::Database* database = config.FindDatabase(startup.database);
  if (database == nullptr) {
    co_return Errorf(sqlstate::kInvalidCatalogName, "database \"{}\" does not exist",
                     startup.database);
  }
  const std::string* known = snapshot->users().Find(startup.user);
  const auto secret = known != nullptr ? std::optional(*known) : std::nullopt;
  auto pool = host_.shared().pools.Get(config, *database, startup.database, startup.user, secret);
  if (!pool.ok()) co_return pool.status();
  pool_ = *std::move(pool);
  mode_ = pool_->limits().mode;
  relay_.set_mode(mode_);

  // Where both set the same, the start-up parameter wins over `options`, as on a server.
  std::vector<wire::Setting> settings = std::move(startup.options);
  settings.insert(settings.end(), startup.settings.begin(), startup.settings.end());
  co_return co_await LearnSettings(std::move(settings));
}

// What the server makes of the client's start-up settings: remembered of an earlier client with the
// same, or asked of a backend. Refused settings refuse the login, in the server's words.
net::Task<Status> Session::LearnSettings(std::vector<wire::Setting> settings) {
  const std::string sql = wire::SettingsSql(settings);
  relay_.parameters = sql.empty() ? pool_->login_parameters() : pool_->FindSettings(sql);
  if (relay_.parameters != nullptr) co_return absl::OkStatus();
  const TimePoint login_deadline =
      DeadlineAfter(host_.snapshot()->config().listen.client_login_timeout);

  pooler::Lease lease = pool_->TryAcquire(client_.event);
  while (true) {
    if (!lease) {
      auto acquired = co_await AwaitLease();
      if (!acquired.ok()) co_return acquired.status();
      lease = *std::move(acquired);
    }
    relay_.Attach(std::move(lease));
    if (!NeedsCheck(*relay_.lease()) || co_await CheckAlive()) break;
    relay_.lease().Discard();
    lease = pool_->TryAcquire(client_.event);
  }
  if (!sql.empty()) {
    const Status set = co_await RunCommand("RESET ALL;" + sql, login_deadline);
    if (!set.ok()) {
      // The failed command left the connection as it was.
      if (relay_.Free()) relay_.lease().Return();
      relay_.lease().Discard();
      co_return set;
    }
    std::vector<wire::Setting> unreported;
    for (wire::Setting& setting : settings) {
      if (!wire::IsReportedAndSettable(setting.first)) unreported.push_back(std::move(setting));
    }
    auto parameters = std::make_shared<wire::Parameters>(*relay_.lease()->parameters);
    parameters->set_unreported(std::move(unreported));
    relay_.lease()->parameters = std::move(parameters);
    pool_->RememberSettings(sql, relay_.lease()->parameters);
  }
  relay_.parameters = sql.empty() ? pool_->login_parameters() : relay_.lease()->parameters;
  relay_.lease().Return();
  co_return absl::OkStatus();
}

bool Session::SendWelcome() {
  std::string message;
  wire::AppendAuthenticationOk(message);
  for (const auto& [name, value] : relay_.parameters->reported()) {
    wire::AppendParameterStatus(message, name, value);
  }
  const CancelKeys::Key key = host_.shared().cancel_keys.Issue({host_.worker().index(), id_});
  cancel_process_id_ = key.process_id;
  wire::AppendBackendKeyData(message, key.process_id, key.secret);
  wire::AppendReadyForQuery(message, wire::TransactionStatus::kIdle);
  return client_.Send(message);
}

}  // namespace pgweir::proxy
