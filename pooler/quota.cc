#include "pooler/quota.h"

#include <algorithm>

#include "base/check.h"
#include "base/strings.h"
#include "fmt/format.h"

namespace pgweir::pooler {
namespace {

using std::chrono::milliseconds;

// A sharer that holds places moves on without help: it gets another's only when its client has
// waited longer than the other's by this, since each change of hands costs a login.
constexpr milliseconds kPatience{50};
// Who has waited this long for places of two caps at once has the one reserved that is free,
// before somebody who needs only that takes it again and again.
constexpr milliseconds kReserveAfter{1000};

int64_t Ticks(TimePoint time) { return time.time_since_epoch().count(); }

std::string_view KindName(Quota::Kind kind) {
  switch (kind) {
    case Quota::Kind::kDatabase:
      return "database";
    case Quota::Kind::kUser:
      return "user";
    case Quota::Kind::kNode:
      break;
  }
  return "node";
}

std::string_view KeyOf(Quota::Kind kind) {
  switch (kind) {
    case Quota::Kind::kDatabase:
      return "pool.max_db_connections";
    case Quota::Kind::kUser:
      return "pool.max_user_connections";
    case Quota::Kind::kNode:
      break;
  }
  return "pool.max_node_connections";
}

}  // namespace

// --- places ---

Place& Place::operator=(Place&& other) noexcept {
  if (this == &other) return *this;
  GiveBack();
  share_ = std::move(other.share_);
  parting_ = std::exchange(other.parting_, false);
  return *this;
}

void Place::GiveBack() {
  if (share_ == nullptr) return;
  const std::shared_ptr<Share> share = std::move(share_);
  share_ = nullptr;
  Quotas& quotas = *share->quotas_;
  Quotas::Woken woken;
  {
    MutexLock lock(quotas.mutex_);
    quotas.Give(*share, std::exchange(parting_, false));
    quotas.Settle(woken);
  }
  Quotas::Wake(woken);
}

void Place::BeginParting() {
  if (share_ == nullptr || parting_) return;
  Quotas& quotas = *share_->quotas_;
  MutexLock lock(quotas.mutex_);
  quotas.Part(*share_);
  parting_ = true;
  quotas.Publish();
}

bool Place::limited() const {
  if (share_ == nullptr) return false;
  MutexLock lock(share_->quotas_->mutex_);
  return std::any_of(share_->caps_.begin(), share_->caps_.end(),
                     [](const auto& cap) { return cap->limit_ > 0; });
}

// --- shares ---

Share::Share(std::shared_ptr<Quotas> quotas, std::weak_ptr<Sharer> sharer,
             std::vector<std::shared_ptr<Quota>> caps)
    : quotas_(std::move(quotas)), sharer_(std::move(sharer)), caps_(std::move(caps)) {
  MutexLock lock(quotas_->mutex_);
  for (const auto& cap : caps_) cap->shares_.push_back(this);
}

// Its places hold it, so that only those kept for it are left.
Share::~Share() {
  Quotas::Woken woken;
  {
    Quotas& quotas = *quotas_;
    MutexLock lock(quotas.mutex_);
    for (; kept_ > 0; --kept_) quotas.Give(*this, false);
    PGWEIR_CHECK(held_ == 0);
    std::erase(quotas.starving_, this);
    for (const auto& cap : caps_) std::erase(cap->shares_, this);
    quotas.Settle(woken);
  }
  Quotas::Wake(woken);
}

std::vector<Place> Share::Claim(int wanted, TimePoint since) {
  std::vector<Place> places;
  Quotas::Woken woken;
  {
    Quotas& quotas = *quotas_;
    MutexLock lock(quotas.mutex_);
    for (; kept_ > wanted; --kept_) quotas.Give(*this, false);
    wanting_ = wanted - kept_;
    since_ = since;
    std::erase(quotas.starving_, this);
    if (wanting_ > 0) quotas.starving_.push_back(this);
    quotas.Settle(woken, this);
    for (; kept_ > 0; --kept_) places.emplace_back(shared_from_this());
  }
  Quotas::Wake(woken);
  return places;
}

std::vector<Place> Share::ClaimSpare(int wanted) {
  std::vector<Place> places;
  Quotas& quotas = *quotas_;
  MutexLock lock(quotas.mutex_);
  const auto needed = [&](const Share* other) {
    return std::any_of(caps_.begin(), caps_.end(), [&](const auto& cap) {
      return std::find(other->caps_.begin(), other->caps_.end(), cap) != other->caps_.end() &&
             cap->limit_ > 0;
    });
  };
  if (std::any_of(quotas.starving_.begin(), quotas.starving_.end(), needed)) return places;
  for (; wanted > 0 && quotas.HasRoom(*this); --wanted) {
    quotas.Take(*this);
    places.emplace_back(shared_from_this());
  }
  return places;
}

bool Share::Yield(Place& place, TimePoint since) {
  const bool contended = std::any_of(caps_.begin(), caps_.end(), [&](const auto& cap) {
    return cap->contended_since_.load(std::memory_order_relaxed) < Ticks(since);
  });
  if (!contended) return false;
  PGWEIR_CHECK(place.share_.get() == this && !place.parting_);
  Quotas& quotas = *quotas_;
  MutexLock lock(quotas.mutex_);
  const bool exceeded =
      std::any_of(caps_.begin(), caps_.end(), [](const auto& cap) { return cap->exceeded(); });
  if (!exceeded && !quotas.SomebodyIsOlder(*this, since)) return false;
  quotas.Part(*this);
  place.parting_ = true;
  quotas.Publish();
  return true;
}

void Share::AskForRoom() {
  Quotas& quotas = *quotas_;
  while (true) {
    // Who could make way, in which of the caps that lack places.
    std::vector<std::vector<std::shared_ptr<Sharer>>> rivals;
    {
      MutexLock lock(quotas.mutex_);
      for (const auto& cap : caps_) {
        if (wanting_ == 0) return;
        if (!cap->full() || quotas.Lacking(*cap) <= 0) continue;
        auto& of_cap = rivals.emplace_back();
        for (const Share* share : cap->shares_) {
          if (share == this || share->held_ == 0) continue;
          if (auto sharer = share->sharer_.lock()) of_cap.push_back(std::move(sharer));
        }
      }
    }
    if (rivals.empty()) return;
    std::vector<Sharer*> chosen;
    for (const auto& of_cap : rivals) {
      Sharer* longest = nullptr;
      TimePoint since = kNoDeadline;
      for (const auto& rival : of_cap) {
        const TimePoint idle_since = rival->IdleSince();
        if (idle_since >= since) continue;
        since = idle_since;
        longest = rival.get();
      }
      if (longest == nullptr) return;  // room in the other caps alone would be no use
      if (std::find(chosen.begin(), chosen.end(), longest) == chosen.end()) {
        chosen.push_back(longest);
      }
    }
    for (Sharer* sharer : chosen) sharer->MakeWay();
  }
}

std::string Share::Exhausted() const {
  MutexLock lock(quotas_->mutex_);
  for (const auto& cap : caps_) {
    if (!cap->full()) continue;
    return fmt::format("{} \"{}\" has all {} that {} allows", KindName(cap->kind()), cap->name(),
                       cap->limit_, KeyOf(cap->kind()));
  }
  return "";
}

// --- the caps ---

std::shared_ptr<Quota> Quotas::Get(Quota::Kind kind, const std::string& name) {
  MutexLock lock(mutex_);
  auto& quota = quotas_[{kind, name}];
  if (quota == nullptr) quota = std::make_shared<Quota>(kind, name);
  return quota;
}

std::vector<std::shared_ptr<Quota>> Quotas::All() const {
  std::vector<std::shared_ptr<Quota>> all;
  MutexLock lock(mutex_);
  for (const auto& [key, quota] : quotas_) all.push_back(quota);
  return all;
}

void Quotas::Prune() {
  MutexLock lock(mutex_);
  for (auto it = quotas_.begin(); it != quotas_.end();) {
    // A new owner can only come from here.
    if (it->second.use_count() > 1) {
      ++it;
      continue;
    }
    std::erase(published_, it->second.get());
    it = quotas_.erase(it);
  }
}

void Quotas::SetLimit(Quota& quota, int limit) {
  Woken woken;
  {
    MutexLock lock(mutex_);
    if (quota.limit_ == limit) return;
    quota.limit_ = limit;
    List(quota);
    Settle(woken);
  }
  Wake(woken);
}

void Quotas::Stop() {
  MutexLock lock(mutex_);
  stopped_ = true;
}

Quotas::Numbers Quotas::numbers(const Quota& quota) const {
  MutexLock lock(mutex_);
  return {quota.limit_, quota.used_, quota.parting_};
}

bool Quotas::HasRoom(const Share& share) const {
  return std::all_of(share.caps_.begin(), share.caps_.end(), [](const auto& cap) {
    return cap->limit_ == 0 || cap->used_ + cap->reserved_ < cap->limit_;
  });
}

void Quotas::Take(Share& share) {
  ++share.held_;
  for (const auto& cap : share.caps_) ++cap->used_;
}

void Quotas::Give(Share& share, bool parting) {
  PGWEIR_CHECK(share.held_ > 0);
  --share.held_;
  for (const auto& cap : share.caps_) {
    --cap->used_;
    if (parting) --cap->parting_;
    PGWEIR_CHECK(cap->used_ >= cap->parting_ && cap->parting_ >= 0);
  }
}

void Quotas::Part(Share& share) {
  for (const auto& cap : share.caps_) ++cap->parting_;
}

// Keeps what is free for those who wait, the oldest client first; `claiming` fetches its own and
// need not be woken.
void Quotas::Settle(Woken& woken, const Share* claiming) {
  if (stopped_) return;
  while (!starving_.empty() && KeepOneEach(woken, claiming)) {
  }
  Publish();
}

bool Quotas::KeepOneEach(Woken& woken, const Share* claiming) {
  const TimePoint now = Clock::now();
  std::sort(starving_.begin(), starving_.end(),
            [](const Share* a, const Share* b) { return a->since_ < b->since_; });
  bool any = false;
  for (Share* share : starving_) {
    if (HasRoom(*share)) {
      Take(*share);
      ++share->kept_;
      --share->wanting_;
      any = true;
      if (share == claiming) continue;
      // Its next client is not known before it asks again.
      share->since_ = now;
      if (auto sharer = share->sharer_.lock()) woken.push_back(std::move(sharer));
    } else if (now - share->since_ > kReserveAfter) {
      for (const auto& cap : share->caps_) {
        if (!cap->full()) ++cap->reserved_;
      }
    }
  }
  for (Share* share : starving_) {
    for (const auto& cap : share->caps_) cap->reserved_ = 0;
  }
  std::erase_if(starving_, [](const Share* share) { return share->wanting_ == 0; });
  return any;
}

void Quotas::Publish() {
  for (Quota* quota : published_) {
    quota->next_since_ = quota->exceeded() ? Quota::kAlways : Quota::kNever;
  }
  for (const Share* share : starving_) {
    for (const auto& cap : share->caps_) {
      if (!cap->full()) continue;
      cap->next_since_ = std::min(cap->next_since_, Ticks(share->since_));
      List(*cap);
    }
  }
  for (Quota* quota : published_) {
    quota->contended_since_.store(quota->next_since_, std::memory_order_relaxed);
    quota->listed_ = quota->next_since_ != Quota::kNever;
  }
  std::erase_if(published_, [](const Quota* quota) { return !quota->listed_; });
}

void Quotas::List(Quota& quota) {
  if (std::exchange(quota.listed_, true)) return;
  published_.push_back(&quota);
}

// Places of this cap that are wanted, beyond those that are about to come back.
int Quotas::Lacking(const Quota& quota) const {
  int lacking = -quota.parting_;
  for (const Share* share : quota.shares_) lacking += share->wanting_;
  return lacking;
}

// Whether somebody with an older client than `since` would be helped by one of this share's places.
bool Quotas::SomebodyIsOlder(const Share& share, TimePoint since) const {
  const TimePoint now = Clock::now();
  for (const auto& cap : share.caps_) {
    if (!cap->full()) continue;
    int needed = 0;
    for (const Share* other : cap->shares_) {
      if (other == &share || other->wanting_ == 0) continue;
      if (other->since_ + (other->held_ > 0 ? kPatience : milliseconds(0)) >= since) continue;
      const bool suffices =
          std::all_of(other->caps_.begin(), other->caps_.end(), [&](const auto& needs) {
            return !needs->full() ||
                   std::find(share.caps_.begin(), share.caps_.end(), needs) != share.caps_.end();
          });
      if (suffices || now - other->since_ > kReserveAfter) needed += other->wanting_;
    }
    if (needed > cap->parting_) return true;
  }
  return false;
}

void Quotas::Wake(const Woken& woken) {
  for (const auto& sharer : woken) sharer->PlaceKept();
}

}  // namespace pgweir::pooler
