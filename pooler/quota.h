#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"

// The caps that pools share: how many backends a database, a user and a node may have in all.

namespace pgweir::pooler {

class Quotas;
class Share;

// One who opens backends under caps: a pool. Called with no lock held; from any thread, except for
// PlaceKept, which may come from within a call of Share's.
class Sharer {
 public:
  virtual ~Sharer() = default;
  // A place is kept for it, which its next Claim gets. To be acted on later.
  virtual void PlaceKept() = 0;
  // Since when its longest idle backend has been idle; kNoDeadline when none is.
  virtual TimePoint IdleSince() const = 0;
  // Closes that backend, if there still is one.
  virtual void MakeWay() = 0;
};

// One cap. Under the mutex of its Quotas, except for what says otherwise.
class Quota {
 public:
  enum class Kind : uint8_t { kDatabase, kUser, kNode };

  Quota(Kind kind, std::string name) : kind_(kind), name_(std::move(name)) {}
  // Fixed; for any thread.
  Kind kind() const { return kind_; }
  const std::string& name() const { return name_; }

 private:
  friend class Place;
  friend class Quotas;
  friend class Share;

  bool full() const { return limit_ > 0 && used_ >= limit_; }
  // More places are taken, even without those that are about to come back.
  bool exceeded() const { return limit_ > 0 && used_ - parting_ > limit_; }

  static constexpr int64_t kNever = INT64_MAX, kAlways = INT64_MIN;

  const Kind kind_;
  const std::string name_;
  int limit_ = 0;     // 0 = none
  int used_ = 0;      // places of backends, of logins under way and of those kept for a pool
  int parting_ = 0;   // of these, the ones whose backends are ending
  int reserved_ = 0;  // free, but left for those who need a place of another cap as well
  std::vector<Share*> shares_;
  bool listed_ = false;          // among Quotas::published_
  int64_t next_since_ = kNever;  // what contended_since_ becomes
  // For a look without the mutex: since when somebody has been waiting for a place of this cap.
  std::atomic<int64_t> contended_since_{kNever};
};

// The right to have one backend open, in every cap that holds for it; given back by the destructor,
// which any thread may run, with any pool's lock held.
class Place {
 public:
  Place() = default;
  explicit Place(std::shared_ptr<Share> share) : share_(std::move(share)) {}
  Place(Place&& other) noexcept = default;
  Place& operator=(Place&& other) noexcept;
  ~Place() { GiveBack(); }

  void GiveBack();
  // The backend is ending: from now on the place counts as one that is about to come back.
  void BeginParting();
  // Whether any of its caps has a limit.
  bool limited() const;

 private:
  friend class Share;
  std::shared_ptr<Share> share_;
  bool parting_ = false;
};

// One pool's part in its caps. The lock behind it is innermost: a pool may call everything but
// AskForRoom under its own mutex.
class Share : public std::enable_shared_from_this<Share> {
 public:
  Share(std::shared_ptr<Quotas> quotas, std::weak_ptr<Sharer> sharer,
        std::vector<std::shared_ptr<Quota>> caps);
  ~Share();
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  // Places for as many of the `wanted` backends as may be opened now. The rest is remembered in
  // place of what was wanted before: places that come free are kept for the sharer whose client has
  // waited longest, and this one's has since `since`.
  std::vector<Place> Claim(int wanted, TimePoint since);
  // Places that nobody waits for.
  std::vector<Place> ClaimSpare(int wanted);

  // Whether a free backend, whose place this is, is to be closed for another sharer's client or
  // because a cap is exceeded. `since`: since when this sharer's own next client has waited,
  // kNoDeadline when none has. When true the place is parting already.
  bool Yield(Place& place, TimePoint since);

  // Asks others to close idle backends, the longest idle first, for what Claim could not get. No
  // lock may be held.
  void AskForRoom();

  // What stands in the way of another backend: "database \"x\" has all 3 that
  // pool.max_db_connections allows"; "" when nothing does.
  std::string Exhausted() const;

 private:
  friend class Place;
  friend class Quotas;

  const std::shared_ptr<Quotas> quotas_;
  const std::weak_ptr<Sharer> sharer_;
  const std::vector<std::shared_ptr<Quota>> caps_;

  // Under the mutex of quotas_.
  int held_ = 0;     // places, those kept for it included
  int kept_ = 0;     // taken for it and not fetched yet
  int wanting_ = 0;  // not to be had so far
  TimePoint since_ = kNoDeadline;
};

// All caps of the process and who waits for a place in them. Thread-safe.
class Quotas {
 public:
  std::shared_ptr<Quota> Get(Quota::Kind kind, const std::string& name);
  // Those in use, or once in use.
  std::vector<std::shared_ptr<Quota>> All() const;
  // Forgets those that nobody shares.
  void Prune();
  // 0 = none. Who waits gets what a higher limit allows.
  void SetLimit(Quota& quota, int limit);
  // Nobody is told of a place any more.
  void Stop();

  struct Numbers {
    int limit = 0, used = 0, parting = 0;
  };
  Numbers numbers(const Quota& quota) const;

 private:
  friend class Place;
  friend class Share;
  using Woken = std::vector<std::shared_ptr<Sharer>>;

  bool HasRoom(const Share& share) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Take(Share& share) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Give(Share& share, bool parting) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Part(Share& share) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Settle(Woken& woken, const Share* claiming = nullptr) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool KeepOneEach(Woken& woken, const Share* claiming) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Publish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void List(Quota& quota) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool SomebodyIsOlder(const Share& share, TimePoint since) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int Lacking(const Quota& quota) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void Wake(const Woken& woken);

  mutable Mutex mutex_;
  std::map<std::pair<Quota::Kind, std::string>, std::shared_ptr<Quota>> quotas_
      ABSL_GUARDED_BY(mutex_);
  std::vector<Share*> starving_ ABSL_GUARDED_BY(mutex_);   // wanting_ > 0; by since_, oldest first
  std::vector<Quota*> published_ ABSL_GUARDED_BY(mutex_);  // contended_since_ is not kNever
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace pgweir::pooler
