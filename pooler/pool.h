#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/mutex.h"
#include "config/config.h"
#include "net/worker.h"
#include "pooler/backend.h"
#include "pooler/canceller.h"
#include "pooler/connector.h"
#include "pooler/quota.h"

namespace pgweir::pooler {

class Pool;

// What every pool uses; lives longer than all of them.
struct PoolServices {
  Connector& connector;
  Canceller& canceller;
  std::vector<std::unique_ptr<net::Worker>>& workers;  // by index
};

// The right to use a backend, on the worker that acquired it. Return gives it back for reuse; a
// lease that ends otherwise closes the backend.
class Lease {
 public:
  Lease() = default;
  Lease(Pool* pool, Backend* backend) : pool_(pool), backend_(backend) {
    if (backend_->watch != nullptr) backend_->watch->Began();
  }
  Lease(Lease&& other) noexcept
      : pool_(other.pool_), backend_(std::exchange(other.backend_, nullptr)) {}
  Lease& operator=(Lease&& other) noexcept;
  ~Lease() { Discard(); }

  explicit operator bool() const { return backend_ != nullptr; }
  Backend* operator->() const { return backend_; }
  Backend& operator*() const { return *backend_; }

  // A cancel request for the backend is on its way.
  bool cancel_under_way() const;
  // Requires that backend->tracker.idle(); `now` saves a look at the clock where it is known.
  void Return(TimePoint now = Clock::now());
  void Discard();

 private:
  Backend& Take();

  Pool* pool_ = nullptr;
  Backend* backend_ = nullptr;
};

// The backends of one (node, database, user), shared by all workers. Behind one mutex, whose
// critical sections only move list nodes; no call is made to the system or to another object under
// it, except for its Share of the caps, whose lock is innermost and who calls no pool back.
//
// Idle backends lie in lists by worker, newest on top, so that a session finds one whose socket its
// own poller watches already; failing that it takes one from another worker. When there is none, it
// waits in one queue, strictly first come first served: nobody gets a backend while others wait.
//
// Caps: each backend, its login included, has a Place, which is given back when its server has let
// it go. A pool without one for its waiting clients is told when one is kept for it; a backend that
// is given back meanwhile ends if somebody in another pool has waited longer (Share::Yield).
class Pool final : public std::enable_shared_from_this<Pool>,
                   private net::PollSink,
                   private Sharer {
 public:
  struct Caps {
    std::shared_ptr<Quotas> quotas;
    std::vector<std::shared_ptr<Quota>> of;
  };
  // `name` is for the log.
  static std::shared_ptr<Pool> Make(std::string name, Target target, const config::Pool& limits,
                                    const Caps& caps, PoolServices services);
  ~Pool() override;

  // A client's place in the queue. Lives on the session's frame, on its worker's thread.
  class Waiting {
   public:
    // Joins the queue. `event` is set when there is an outcome.
    Waiting(Pool& pool, net::Event& event);
    // Leaves the queue; a backend that was granted in the same instant goes back.
    ~Waiting();
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

    // An OK lease, an error, or, while there is neither, an empty lease.
    StatusOr<Lease> Poll();
    // The reason to give a client whose time is over: the server's own if it can't be reached, else
    // that all backends are busy.
    Status TimedOut() const;

   private:
    friend class Pool;
    // Shared with the pool's queue and a wake-up that may be on its way.
    struct Node {
      net::Worker* worker;
      net::Event* event;           // used on the worker's thread only; null when nobody waits
      Backend* granted = nullptr;  // under the pool's mutex, like the rest
      Status failure;
      bool queued = true;
      TimePoint since;  // fixed
    };
    Pool& pool_;
    net::Event& event_;
    std::shared_ptr<Node> node_;
  };

  // Any worker's thread. A backend at once, or an empty lease when there is none or others wait.
  // Afterwards the backend's socket sets `event`. One with these custom settings, or none, is
  // preferred (Backend::custom_settings).
  Lease TryAcquire(net::Event& event, uint64_t custom_settings = 0) {
    return Acquire(event, custom_settings, false);
  }
  // Likewise one that clients can do without for a while: another is idle.
  Lease TryAcquireSpare(net::Event& event, uint64_t custom_settings) {
    return Acquire(event, custom_settings, true);
  }
  // Any thread. Begins to open what TryAcquireSpare lacks, where there is room for it.
  void OpenSpare();

  // Any thread. Asks the server to cancel what the leased backend runs. Until the server has dealt
  // with it, nobody else gets the backend. `done` runs on any thread.
  void Cancel(Backend& backend, absl::AnyInvocable<void()> done);

  // What a client is told at its login: the settings of a fresh login. Null before the first one.
  wire::ParametersRef login_parameters() const;
  // Start-up settings that a server has accepted before, with all that it then reported; null if
  // new.
  wire::ParametersRef FindSettings(const std::string& sql) const;
  void RememberSettings(const std::string& sql, wire::ParametersRef parameters);

  // Any thread, about once a second: ends what has been idle or alive for too long, keeps min_size.
  void Maintain(TimePoint now);
  // Any thread. New limits count from now on; with another target, backends of the old one end when
  // they become free, and those of another connection string count no more: their server may never
  // let them go.
  void Reconfigure(Target target, const config::Pool& limits);
  // Likewise, keeping the limits.
  void Reconfigure(Target target) { Reconfigure(std::move(target), limits()); }
  // Any thread. No server is known that this pool's clients could use, or one is again: until then
  // no backend is opened or granted, idle ones end at once, the others when they become free, and
  // clients wait.
  void SetHeadless(bool headless);
  // Any thread. The target's SCRAM keys no longer count: what is open stays, nothing is opened.
  void ForgetKeys();
  // Any thread. Ends idle backends, and the others when they become free. No new ones are opened.
  void Close();

  config::Pool limits() const;
  Target target() const;
  const std::string& name() const { return name_; }

  // --- for the console (pool_console.cc); any thread ---

  // While paused no backend is opened or granted: idle ones end at once, the others when they
  // become free, and clients wait.
  void SetPaused(bool paused);
  bool paused() const;
  // Every backend is replaced: idle ones at once, the others when they become free.
  void Reconnect();

  // A client that is logged in and served by this pool, for the counts, from construction on.
  class Member {
   public:
    Member() = default;
    explicit Member(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) { Count(1); }
    Member(Member&& other) noexcept = default;
    Member& operator=(Member&& other) noexcept {
      std::swap(pool_, other.pool_);
      return *this;
    }
    ~Member() { Count(-1); }

   private:
    void Count(int change) {
      if (pool_ != nullptr) pool_->members_.fetch_add(change, std::memory_order_relaxed);
    }
    std::shared_ptr<Pool> pool_;
  };

  struct Counts {
    int idle = 0;             // of them:
    int long_idle = 0;        // to be checked before they are used
    int leased = 0;           // with a client, or on their way
    int being_cancelled = 0;  // free, but a cancel may still be on its way
    int connecting = 0;
    int outdated = 0;                       // not idle and to end when they become free
    int cancels = 0;                        // on their way to a server
    int members = 0;                        // clients, whatever they do
    int waiting = 0;                        // of them, those in the queue
    TimePoint waiting_since = kNoDeadline;  // the first of them
    bool paused = false;
    int open() const { return idle + leased + being_cancelled; }
    // Of several pools.
    void Add(const Counts& more);
  };
  Counts counts() const;

  // A backend as those see it who don't hold it.
  struct Shown {
    BackendId id;
    int fd;
    BackendOrigin origin;
    const char* state;     // PgBouncer's word
    bool close_needed;     // when it becomes free
    TimePoint idle_since;  // kNoDeadline unless idle
    int prepared = 0;      // statements; of an idle one
    std::string application_name = {};
  };
  std::vector<Shown> Show() const;

 private:
  friend class Lease;
  using Owned = std::unique_ptr<Backend>;

  Pool(std::string name, Target target, const config::Pool& limits, PoolServices services);

  Lease Acquire(net::Event& event, uint64_t custom_settings, bool spare);
  bool CancelUnderWay(const Backend& backend) const;
  void Return(Backend& backend, TimePoint now);
  void Discard(Backend& backend);
  void GiveBack(Backend& backend, bool poked);
  // What a login was begun with.
  struct Attempt {
    uint64_t version;
    std::shared_ptr<ServerWatch> watch;
  };
  void OnOpened(StatusOr<Owned> opened, const Attempt& attempt, Place place, net::Worker& home);
  void OnFailed(const Status& failure, const Attempt& attempt);
  void Land(Owned backend, net::Worker& home);
  void OnCancelled(BackendId id);
  void OnPoll(uint32_t events, uint64_t token) override;
  void Inspect(Backend& backend);
  static void Wake(const std::shared_ptr<Waiting::Node>& node);
  void Open(std::vector<Place> places);

  // As a sharer of caps.
  void PlaceKept() override;
  TimePoint IdleSince() const override;
  void MakeWay() override;

  // What to do once the mutex is free.
  struct Aftermath {
    std::vector<Owned> closing;
    std::vector<std::shared_ptr<Waiting::Node>> woken;
    std::vector<Place> opening;
    bool lacks_places = false;
    bool await_end = true;  // a place comes back when its server has let the connection go
  };
  void Finish(Aftermath aftermath);

  bool IsLongIdle(const Backend& backend, TimePoint now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MayStay(const Backend& backend, TimePoint now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Owned Take(Backend& backend) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool at_rest() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return closed_ || paused_ || headless_;
  }
  // It leads, or was to lead, to where the pool leads no more: nobody waits for it, and what became
  // of it means nothing here.
  bool IsLeftBehind(uint64_t version) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return version < course_since_;
  }
  // Backends that count towards the limits.
  int open() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return static_cast<int>(all_.size()) - left_behind_;
  }
  Backend* PopIdle(int worker, uint64_t custom_settings = 0) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PlanOpening(Aftermath& aftermath) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::pair<size_t, size_t> LongestIdle() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Surplus(Backend& backend, TimePoint now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CloseIdle(bool all, TimePoint now, Aftermath& aftermath)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string name_;
  const PoolServices services_;
  std::shared_ptr<Share> share_;  // set once by Make

  mutable Mutex mutex_;
  config::Pool limits_ ABSL_GUARDED_BY(mutex_);
  Target target_ ABSL_GUARDED_BY(mutex_);
  uint64_t target_version_ ABSL_GUARDED_BY(mutex_) = 0;
  // The first version with the present connection string, and how many backends are older.
  uint64_t course_since_ ABSL_GUARDED_BY(mutex_) = 0;
  int left_behind_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<uint64_t, Owned> all_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::vector<Backend*>> idle_ ABSL_GUARDED_BY(mutex_);  // by worker, newest last
  int idle_count_ ABSL_GUARDED_BY(mutex_) = 0;
  int connecting_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<std::shared_ptr<Waiting::Node>> waiting_ ABSL_GUARDED_BY(mutex_);
  Status last_failure_ ABSL_GUARDED_BY(mutex_);
  bool starving_ ABSL_GUARDED_BY(mutex_) = false;  // lacks places for those who wait
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool paused_ ABSL_GUARDED_BY(mutex_) = false;
  bool headless_ ABSL_GUARDED_BY(mutex_) = false;
  std::atomic<int> members_{0};
  wire::ParametersRef login_parameters_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, wire::ParametersRef> settings_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pgweir::pooler
