#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/attributes.h"
#include "base/ids.h"
#include "net/task.h"
#include "pooler/client_caps.h"
#include "pooler/pool.h"
#include "proxy/belongings.h"
#include "proxy/cached_read.h"
#include "proxy/client.h"
#include "proxy/client_info.h"
#include "proxy/console/console.h"
#include "proxy/node_copies.h"
#include "proxy/relay.h"
#include "proxy/request.h"
#include "proxy/request_contents.h"
#include "proxy/schema_change.h"
#include "proxy/sharding.h"
#include "proxy/split_request.h"
#include "proxy/statement_watch.h"
#include "proxy/time_limits.h"
#include "wire/startup.h"

namespace pgweir::proxy {

// One client, from its first byte to its last, on one worker: start-up, login, then requests, each
// carried by a backend that is held for as long as the pool's mode says.
class Session final : private WatchedClient {
 public:
  Session(SessionId id, SessionHost& host, int fd, Peer peer);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // The whole life: logs the client in; if that succeeds serves it until it is to go; then says
  // goodbye, after which nothing of the client's is left anywhere.
  net::Task<bool> LogIn();
  net::Task<void> Serve();
  net::Task<void> Close();

  // On the worker's thread: the client's cancel key was presented.
  void Cancel(std::shared_ptr<CancelTicket> ticket);
  // On the worker's thread: the host's ending has changed, or whether it is suspended.
  void Poke();
  // On the worker's thread: ends the session at once, and its backend with it.
  void Kill(Status reason);

  // --- for the console, on the worker's thread ---
  SessionId id() const { return id_; }
  // What the client asked for at its login, once that has succeeded; else "".
  const std::string& database() const { return database_; }
  bool is_console() const { return console_ != nullptr; }
  ClientInfo Describe();
  // Something that was read is still to be sent, to the client or for it.
  bool busy() const;

 private:
  // --- login (session_login.cc) ---
  net::Task<void> SlowDown(const std::string& user, const Status& refusal);
  net::Task<void> HoldBack(TimePoint until);
  net::Task<Status> Admit(wire::StartupMessage startup);
  Status AdmitToConsole(const config::Config& config, const wire::StartupMessage& startup,
                        bool is_owner);
  net::Task<Status> AdmitReplication(const config::Config& config,
                                     const pooler::Pools::Client& asking,
                                     const wire::StartupMessage& startup);
  net::Task<Status> LearnSettings(std::vector<wire::Setting> settings);
  net::Task<void> AwaitCatalog(const NodeCatalog& catalog);
  bool SendWelcome();

  // --- where requests go (session_routing.cc) ---
  // A node of the database's, as this session uses it.
  struct Node {
    std::string name;
    std::shared_ptr<pooler::Pool> primary;
    std::unique_ptr<NodeCopies> copies;  // null = one server carries out everything
    TimePoint wrote_at{};                // when the last that wasn't surely a read was done
    cache::DatabaseId server_database;
  };
  // Makes pool_ lead to a server that may carry out the request, which begins the use of a backend.
  Status ChooseServer(wire::Bytes request);
  // Likewise, of the node at_.
  Status ChooseCopy(const RequestContents& request);
  ReadingContext Reading() const {
    return {own_.state, *own_.parameters, host_.tools().statements};
  }
  // Its servers, when it has several to choose from.
  std::unique_ptr<NodeCopies> CopiesOf(const config::Database& database, const config::Node& node,
                                       const std::shared_ptr<pooler::Pool>& primary) const;
  void TakePrimary();  // in place of a replica that has failed
  // It is at a replica, but the primary could carry it out as well.
  bool at_choice() const { return reads_ && pool_ != at_->primary; }
  // The backend, which is not needed any more.
  void GiveBack();

  // --- what the query cache answers (session_cache.cc) ---
  void UseCache();
  void TellWritesPlace();
  // Notes what the request means for those that follow in its transaction, which it may begin.
  void FollowTransaction(const RequestContents& request, bool goes_on);
  bool OnlyReads(const RequestStatement& statement);
  // The request of a client that holds a backend. Whether it has been answered.
  bool AnswersInTransaction(wire::Bytes request, const RequestContents& contents);
  bool BeginsReadCommitted(const router::StatementFacts& statement) const;
  // Answers the read, or notes that its answer is to be waited for, or kept when the server gives
  // it. at_ is the node that it goes to, or first goes to.
  void LookInCache(wire::Bytes request, const RequestContents& contents);
  cache::Refusal WhyNotCached(wire::Bytes request, const RequestStatement& statement,
                              const CacheAdmissions::Known& known);
  cache::Key CacheKeyOf(const RequestStatement& statement);
  cache::Extent ExtentOf(const RequestStatement& statement, const router::Catalog& catalog);
  cache::EntryRef FindCached(const cache::Key& key);
  void NoteOrigin(const cache::Key& key, const RequestStatement& statement,
                  const router::Catalog& catalog);
  std::optional<UnattendedRead> Unattended(const RequestStatement& statement);
  void Refresh(const cache::Key& key, UnattendedRead asks);
  void Verify(UnattendedRead asks, const cache::EntryRef& entry, const cache::Rule& rule);
  void Fill(cache::Lead lead);
  void KeepAnswer();
  void Answer(wire::Bytes request, const RequestStatement& statement, const cache::EntryRef& entry,
              observe::CacheOutcome outcome);
  // How many bytes it was.
  size_t SendCached(wire::Bytes request, const cache::Entry& entry);
  net::Task<bool> AwaitAnswer(std::string request);
  net::Task<bool> AskServer(std::string request);
  void TakeNews(wire::Bytes request, cache::News news);
  bool AnswerStale(wire::Bytes request, const Status& reason);

  // --- where they go in a sharded database (session_shards.cc) ---
  bool sharded() const { return sharding_ != nullptr; }
  // The session reads every request itself, also while the client holds a backend.
  bool guides() const { return sharded() || (cached_ != nullptr && cached_->in_transactions); }
  // The node of this name; it stays for as long as the session.
  StatusOr<Node*> NodeOf(const std::string& name);
  // Null when it has not been used.
  Node* FindNode(const std::string& name);
  void CheckPlacement(const std::string& database, const router::ShardMapRef& map);
  Status LearnMap();
  // Makes at_ the node of a request that begins the use of a backend.
  Status ChooseNode(const RequestContents& request);
  // Likewise the next of those that the request under way goes to.
  Status ChooseNext();
  // Makes sharding_'s route that of the request.
  Status RouteByMap(const RequestContents& request);
  // Whether a request of a client that holds a backend goes there. Else it has been refused, or
  // takes its transaction elsewhere.
  bool StaysHere(wire::Bytes request, const RequestContents& contents);
  static Status WhyNotInOne(const ShardRoute& route);
  Status WhyNotHere(const ShardRoute& route) const;
  // Answers a BEGIN, which is carried out with what follows it. False when the request is none.
  bool HoldBegin(const RequestContents& contents, wire::Bytes request);
  bool holds_begin() const { return sharded() && sharding_->transaction.held; }
  // The request under way goes on at the next node, now that the last one's backend is given back.
  net::Task<bool> CarryOn();
  // What the node at_ is sent of a request to several.
  std::string PartHere(const std::string& request);
  // What this one is.
  RequestPart PartOf(const std::string& request, const Node& at);
  // SQL that the transaction began with elsewhere.
  std::string_view First() const { return sharded() ? sharding_->first : std::string_view(); }
  // The request under way is counted by the pattern that led it to at_, else by the first of at_'s.
  void CountByPattern();

  // --- a statement on the schema of every node (session_schema.cc) ---
  // Answers the request. False when the session is over.
  net::Task<bool> ChangeSchema(std::string request);
  net::Task<StatusOr<std::string>> CarryOut(SchemaChange change);
  net::Task<void> LearnSchema();
  net::Task<Status> TakeBackendAt(const std::string& node, pooler::Lease& lease);
  // The command's tag. `rows`: where the first column of its rows goes. `until`: of what it may
  // take.
  net::Task<StatusOr<std::string>> RunOn(pooler::Lease& lease, std::string sql,
                                         std::vector<std::string>* rows = nullptr,
                                         TimePoint until = kNoDeadline);

  // --- numbers for columns that INSERTs leave to sequences (session_numbers.cc) ---
  // The request under way needs some that are to be drawn.
  bool NeedsNumbers() const;
  // Draws them. False when the session is over; else the request has them, or is to be refused
  // (Sharding::refusal).
  net::Task<bool> DrawNumbers();
  // Then goes on with the request, on a backend that is still to be found, or that it has.
  net::Task<bool> BeginWithNumbers(std::string request);
  net::Task<bool> GoOnWithNumbers(std::string request);
  net::Task<Status> AskForNumbers(std::string question, std::vector<std::string>& numbers);
  net::Task<Status> AskOn(pooler::Lease& lease, std::string question,
                          std::vector<std::string>& numbers);

  // --- requests (session.cc) ---
  net::Task<void> ServeConsole();
  net::Task<void> ServeDatabase();
  // What follows in the session's one coroutine: it waits for its event, or for a sequence that
  // tells whether the session goes on; or it looks at once for what to do.
  struct Step {
    Step() = default;
    Step(net::Task<bool> task) { sequence.emplace(std::move(task)); }

    bool waits = false;
    std::optional<net::Task<bool>> sequence;
  };
  static Step Wait() {
    Step step;
    step.waits = true;
    return step;
  }
  // While the client holds a backend. Neither of these two is to become part of ServeDatabase, in
  // whose frame, which lasts as long as the client, its variables would then be.
  ABSL_ATTRIBUTE_NOINLINE Step Carry();
  // While it holds none.
  ABSL_ATTRIBUTE_NOINLINE Step TakeRequest();
  // Its request goes to a backend, or is answered without one.
  Step Begin(wire::Bytes request);
  // The session is over, for this reason if the client is to be told one. False.
  net::Task<bool> End(Status reason);
  // Where no request is ready, by what `state` says or the session's own: nothing = it goes on.
  std::optional<net::Task<bool>> EndFor(RequestReader::State state);
  RequestReader::State NextRequest(wire::Bytes& request);
  // What was taken of the request is taken again, for another backend.
  void Rewind();
  // Answers a request that no backend will see.
  void Accept(wire::Bytes request, std::string_view answer);
  void Reject(wire::Bytes request, const Status& error);
  // Statements that were answered are over when the client has all of it.
  void NoteSent();
  // The node's primary, which knows all that its replicas know.
  PlanSource::Place PlaceForPlan(std::string_view node) override;
  observe::ClientFacts Facts() const override;
  void AddAddress(observe::ClientFacts& facts) const override;
  StatementWatch::Place PlaceOf(const Node& node) const;
  // Finds a backend for a request that could not be sent at once, with `lease` as a first
  // candidate. False when the session is over; else the backend is attached and has the request, or
  // the client has been told why not.
  net::Task<bool> Obtain(std::string request, pooler::Lease lease);
  net::Task<StatusOr<pooler::Lease>> AwaitLease();
  pooler::Lease TryAcquire();
  bool attached() const { return carrying_ != nullptr; }
  Relay& relay() { return *carrying_->relay; }
  const Relay& relay() const { return *carrying_->relay; }
  // Takes the backend for as long as the client needs it.
  void Attach(pooler::Lease lease);
  // Closes the backend; what was sent to it is lost.
  void Drop();
  // The client holds a backend no more. One that was not given back ends.
  void Detach();
  // The request, or what stands in its place, goes to the backend that has just been attached.
  bool SendFirst(wire::Bytes request, TimePoint now);
  net::Task<Status> Agree();
  // Before waiting: the reason to end the session if it has taken longer than it may.
  Status CheckTime();
  net::Task<bool> CheckAlive();
  // The next request, or part of one, of a client that holds a backend, where the session reads
  // them itself. False when the session is over.
  net::Task<bool> GoOn(wire::Bytes request);
  // What follows when the relay can't go on. False when the session is over.
  net::Task<bool> Leave(Relay::Next reason);
  bool SeemsGood(pooler::Backend& backend, TimePoint now) const;
  bool WantsPing(const pooler::Backend& backend, TimePoint now) const;
  bool MustEnd() const;
  // What the client takes its transaction to be.
  wire::TransactionStatus Standing() const;
  // Whatever is under way.
  bool MustEndNow() const { return host_.ending() == Ending::kNow || !killed_.ok(); }
  Status EndReason() const;
  net::Task<bool> DieNow();  // false
  void ForwardCancel();
  void FinishCancel();
  // Tells the client why its connection ends, if it listens.
  net::Task<void> Say(Status reason);
  void SayThatItWaits();

  // --- backends without their client (session_cleanup.cc) ---
  // Runs a statement of pgweir's own on the attached backend.
  net::Task<Status> RunCommand(std::string sql, TimePoint deadline);
  // Reads until all that is outstanding is answered.
  net::Task<bool> Drain(TimePoint deadline);
  // Brings the backend that a client left into a state for others, or ends it.
  net::Task<void> CleanUp();
  net::Task<bool> MakeReusable();
  // Cancels what runs, and what a pipeline has behind it, until all is answered.
  net::Task<bool> Abort(TimePoint deadline);

  const SessionId id_;
  SessionHost& host_;
  Client client_;
  RequestReader requests_;
  pooler::ClientCaps::Ticket admission_;                 // from login to the end
  Node home_;                                            // where it began, and mostly the only one
  std::unique_ptr<std::map<std::string, Node>> others_;  // by name; null = none was used
  Node* at_ = nullptr;                  // whose backend it has, had last, or is to get
  std::unique_ptr<Sharding> sharding_;  // null = one node holds everything
  std::unique_ptr<CachedRead> cached_;  // null = without the query cache
  // Where the next backend comes from, or the present one came from. Before carrying_, whose lease
  // is one of its.
  std::shared_ptr<pooler::Pool> pool_;
  pooler::Pool::Member membership_;
  StatementWatch watch_;
  Belongings own_;
  std::unique_ptr<RelayMemory> carrying_;      // null = it holds no backend
  std::unique_ptr<TimeLimits> time_limits_;    // null = it has none
  std::unique_ptr<const std::string> secret_;  // the user's, to log in to servers by; null = none
  bool reads_ = false;  // what was sent since the backend was taken is surely but reads
  bool logged_in_ = false;
  bool dedicated_ = false;  // a replication connection, with a pool of its own
  std::shared_ptr<CancelTicket> cancel_;
  uint32_t cancel_id_ = 0;               // the client's cancel key: process id, 0 = none yet
  std::array<char, 4> cancel_secret_{};  // and secret
  Status killed_;                        // why it must end at once
  std::unique_ptr<Console> console_;     // that it is logged in to; null = a database

  // What only the console and the log show.
  std::string user_, database_;
  std::unique_ptr<const std::string> replication_;  // null = none
  const std::chrono::system_clock::time_point connected_at_ = std::chrono::system_clock::now();
  TimePoint waiting_since_ = kNoDeadline;
};

}  // namespace pgweir::proxy
