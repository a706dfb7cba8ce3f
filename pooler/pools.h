#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "config/config.h"
#include "pooler/client_caps.h"
#include "pooler/login_keys.h"
#include "pooler/node_view.h"
#include "pooler/pool.h"

namespace pgweir::pooler {

// The pools of the process, by node, database and login user, and the caps that they share. A
// node's pool leads to its primary, whichever server that is at the time; its replicas have pools
// of their own.
// Thread-safe.
class Pools {
 public:
  explicit Pools(PoolServices services) : services_(services) {}

  // Who asks for what.
  struct Client {
    const config::Database& database;     // the entry that serves it
    const std::string& database_name;     // what it asked for
    const std::string& user;              // as which it authenticated
    const std::string* secret;            // the user's entry in the users file, or null
    uint64_t configuration = UINT64_MAX;  // number of the one that `database` is of
    const config::Node* at = nullptr;     // one of its nodes; null = the one of what isn't divided
    const config::Node& node() const { return at == nullptr ? database.node : *at; }
  };

  // The pool for such a client. The login to the node is the connection string's own if it names a
  // user, else the client's name with its secret, or for a SCRAM secret with the keys that a client
  // has proved; 28000 as long as there are none.
  StatusOr<std::shared_ptr<Pool>> Get(const config::Config& config, const Client& client);
  // The same for one of the node's other servers.
  StatusOr<std::shared_ptr<Pool>> GetFor(const config::Config& config, const Client& client,
                                         const ServerView& server);
  // How such a client's pool logs in, where that takes no key that a client has proved.
  static StatusOr<Target> TargetFor(const Client& client);

  // Any thread. The primary of a node, or its servers, may be others: its pools follow. One that is
  // older than what is known counts for nothing.
  void Follow(const NodeViewRef& view);

  // `secret`, the user's, is a SCRAM verifier, and a client has shown that it has this key.
  void RememberKeys(const std::string& user, const std::string& secret,
                    const wire::ScramKey& client_key) {
    keys_.Remember(user, secret, client_key);
  }
  // Likewise by the password.
  void RememberPassword(const std::string& user, const std::string& secret,
                        std::string_view password) {
    keys_.RememberPassword(user, secret, password);
  }
  // Forgets the keys of users of whom `keeps`, given name and secret, is false. Pools that use them
  // keep their backends, and open no others until a client has logged in.
  void ForgetKeysUnless(absl::FunctionRef<bool(const std::string&, const std::string&)> keeps);

  // A pool of one backend that nobody else gets, opened with these libpq keywords. `purpose` is for
  // the log.
  StatusOr<std::shared_ptr<Pool>> MakeDedicated(
      const config::Config& config, const Client& client,
      std::vector<std::pair<std::string, std::string>> keywords, std::string_view purpose);

  // Counts a client that logs in.
  StatusOr<ClientCaps::Ticket> Admit(const config::Config& config, const Client& client) {
    return client_caps_.Admit(config, client.database, client.database_name, client.user);
  }

  // --- for the console (pools_console.cc) ---

  // PAUSE and RESUME: of one database, or with "" of all. What is paused in both ways is resumed in
  // both. Pools made later obey too.
  void SetPaused(const std::string& database, bool paused);
  bool paused(const std::string& database) const;  // "" = all are
  bool paused_by_name(const std::string& database) const;
  bool any_paused() const;
  // RECONNECT; "" = all.
  void Reconnect(const std::string& database);
  // DISABLE and ENABLE: whether clients may log in.
  void SetDisabled(const std::string& database, bool disabled);
  bool disabled(const std::string& database) const;

  // By database and user, those of replication connections last.
  struct Listed {
    std::string node, database, user;
    std::string server;  // its connection string; "" = the primary's
    std::shared_ptr<Pool> pool;
    bool dedicated = false;
  };
  std::vector<Listed> List(const std::string& database = "") const;
  // Backends in use, by database and by login user.
  using Numbers = std::map<std::string, int>;
  Numbers backends_of(Quota::Kind kind) const;
  const ClientCaps& client_caps() const { return client_caps_; }

  // Puts changed limits and connection strings into effect; closes pools whose database is gone.
  // Clients of an older configuration, by its number, change no pool any more.
  void Reconfigure(const config::Config& config, uint64_t number = 0);
  // About once a second.
  void Maintain();
  void CloseAll();

 private:
  struct Key {
    std::string node, database, user;
    std::string server;  // its connection string; "" = the primary's
    auto operator<=>(const Key&) const = default;
  };
  struct Entry {
    std::shared_ptr<Pool> pool;
    Target target;
    std::string served_by;  // the configuration's entry
  };
  struct Dedicated {
    Key key;
    std::weak_ptr<Pool> pool;
    std::string served_by;
  };
  struct Login {
    Target target;
    std::string user;  // as which the node knows it
  };

  static StatusOr<Login> LoginFor(const Client& client, const LoginKeys& keys);
  StatusOr<std::shared_ptr<Pool>> GetOrMake(const config::Config& config, const Client& client,
                                            const ServerView* server);
  NodeViewRef ViewOf(const std::string& database, const std::string& node) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LeadToPrimary(const NodeViewRef& view, Target& target) const;

  std::vector<Listed> ListLocked(const std::string& database) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsPaused(const std::string& database) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Pool::Caps CapsFor(const config::Config& config, const Key& key);

  const PoolServices services_;
  const std::shared_ptr<Quotas> quotas_ = std::make_shared<Quotas>();
  ClientCaps client_caps_;
  LoginKeys keys_;
  mutable Mutex mutex_;
  std::map<Key, Entry> pools_ ABSL_GUARDED_BY(mutex_);
  uint64_t configuration_ ABSL_GUARDED_BY(mutex_) = 0;  // the newest one's number
  std::vector<Dedicated> dedicated_ ABSL_GUARDED_BY(mutex_);
  // By the configuration's entry and node.
  std::map<std::pair<std::string, std::string>, NodeViewRef> views_ ABSL_GUARDED_BY(mutex_);
  bool all_paused_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<std::string, std::less<>> paused_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string, std::less<>> disabled_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pgweir::pooler
