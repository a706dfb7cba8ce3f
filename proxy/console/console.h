#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "base/ids.h"
#include "base/status.h"
#include "net/task.h"
#include "proxy/client.h"
#include "proxy/console/command.h"
#include "proxy/console/table.h"
#include "proxy/control.h"
#include "wire/parameters.h"

namespace pgweir::proxy {

// A client that is logged in to the console: PgBouncer's language in PostgreSQL's protocol, simple
// and extended. Part of its session, on its worker's thread.
class Console {
 public:
  enum class Rights : uint8_t { kStats, kAdmin };  // may look; may act as well

  // All of them outlive it.
  Console(SessionId id, SessionHost& host, Client& client, std::string user, Rights rights);
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  // What a client is told of its session at the login.
  static wire::ParametersRef Welcome();

  // Until the client leaves or End().
  net::Task<void> Serve();

  // The client's cancel key was presented: a command that waits is given up.
  void Cancel();
  // The session is to end now.
  void End();

 private:
  struct Portal {
    std::string statement;
    std::vector<wire::Format> formats;
    std::optional<Result> result = std::nullopt;  // once it has been executed
    size_t sent = 0;                              // rows of it
  };

  // --- the protocol (console.cc, extended.cc) ---
  net::Task<std::optional<std::pair<char, std::string>>> ReadMessage();
  net::Task<bool> Handle(char type, std::string body);
  net::Task<bool> HandleExtended(char type, std::string body);
  net::Task<bool> SendOut();
  net::Task<void> OnQuery(std::string text);
  Status OnParse(wire::Bytes body);
  Status OnBind(wire::Bytes body);
  Status OnDescribe(wire::Bytes body);
  Status OnClose(wire::Bytes body);
  net::Task<Status> OnExecute(std::string body);
  StatusOr<Columns> DescribeStatement(const std::string& statement);
  void AppendNotice(const Result& result);
  void AppendReady();

  // --- the commands (actions.cc) ---
  net::Task<StatusOr<Result>> Run(std::string statement);
  net::Task<StatusOr<Result>> Show(std::string name);
  net::Task<Status> Act(Command command);
  net::Task<Status> Pause(std::string database);
  Status Resume(const std::string& database);
  net::Task<Status> Kill(std::string database);
  net::Task<Status> KillClient(std::string id);
  net::Task<Status> WaitClose(std::string database);
  net::Task<Status> Suspend();
  Status Shutdown(const std::string& how);
  net::Task<Status> Reload();
  net::Task<Status> Set(std::string key, std::string value);
  // --- of sharded databases (sharding.cc) ---
  // The answer to an EXPLAIN, a row a line.
  static Result Explained(const Command& command, std::string text);
  StatusOr<Result> ExplainRoute(const Command& command);
  net::Task<Status> EditShardMap(Command command);
  // --- of the query cache (cache.cc) ---
  StatusOr<Result> ExplainCache(const Command& command);
  net::Task<Status> FlushCache(Command command);
  net::Task<StatusOr<Result>> WarmCache(Command command);
  void Forget(std::string_view noted);
  static Status NoCache();
  // The database that a command names, else the only one there is.
  StatusOr<const config::Database*> OnlyDatabase(const std::string& named) const;
  // The database that a command names, else the only one that is sharded.
  StatusOr<const config::Database*> DatabaseMeant(const std::string& named) const;
  // Whether a command may name it; `database` "" means all and is fine.
  Status CheckDatabase(const std::string& database) const;
  Status CheckNotPaused() const;
  // Waits until `done`; an error when that is given up. The client is sent what there is before.
  net::Task<Status> Await(absl::FunctionRef<bool()> done);
  // Waits for what the supervisor answers to `ask`.
  net::Task<Status> AwaitControl(absl::FunctionRef<void(Control&, Control::Done)> ask);

  const SessionId id_;
  SessionHost& host_;
  Client& client_;
  const std::string user_;
  const Rights rights_;
  std::string out_;  // answers that are not sent yet
  bool in_transaction_ = false;
  bool skipping_to_sync_ = false;
  bool cancelled_ = false;
  bool ends_ = false;
  std::map<std::string, std::string> statements_;
  std::map<std::string, Portal> portals_;
};

}  // namespace pgweir::proxy
