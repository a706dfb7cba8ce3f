#include "pooler/pool.h"

#include <unistd.h>

#include <algorithm>
#include <random>

#include "base/check.h"
#include "base/log.h"
#include "pooler/pool_policy.h"

namespace pgweir::pooler {
namespace {

// Start-up settings remembered a pool; beyond that the memory starts anew.
constexpr size_t kMaxSettings = 256;
// How long a server has for ending a connection before its place counts as free all the same: it
// may be in the middle of a statement.
constexpr std::chrono::milliseconds kMaxParting{1000};

double Random() {
  static thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

// Keeps the place until the server has closed its end of the connection, which it does last of all.
net::Task<void> AwaitEnd(net::Worker& worker, int fd, [[maybe_unused]] Place place) {
  net::Socket socket(fd, net::Socket::Ownership::kOwns);
  net::Event event(worker);
  event.SetDeadline(Clock::now() + kMaxParting);
  socket.Attach(worker, &event);
  while (!socket.hung_up() && !event.expired()) co_await event.Wait();
}

net::Worker& SomeWorker(const PoolServices& services) {
  net::Worker* current = net::Worker::Current();
  const bool serves = current != nullptr && current->index() >= 0;
  return serves ? *current : *services.workers.front();
}

}  // namespace

Lease& Lease::operator=(Lease&& other) noexcept {
  Discard();
  pool_ = other.pool_;
  backend_ = std::exchange(other.backend_, nullptr);
  return *this;
}

bool Lease::cancel_under_way() const { return pool_->CancelUnderWay(*backend_); }

Backend& Lease::Take() {
  if (backend_->watch != nullptr) backend_->watch->Ended();
  return *std::exchange(backend_, nullptr);
}

void Lease::Return(TimePoint now) { pool_->Return(Take(), now); }

void Lease::Discard() {
  if (backend_ != nullptr) pool_->Discard(Take());
}

Pool::Pool(std::string name, Target target, const config::Pool& limits, PoolServices services)
    : name_(std::move(name)),
      services_(services),
      limits_(limits),
      target_(std::move(target)),
      idle_(services.workers.size()) {}

Pool::~Pool() = default;

std::shared_ptr<Pool> Pool::Make(std::string name, Target target, const config::Pool& limits,
                                 const Caps& caps, PoolServices services) {
  std::shared_ptr<Pool> pool(new Pool(std::move(name), std::move(target), limits, services));
  pool->share_ =
      std::make_shared<Share>(caps.quotas, std::shared_ptr<Sharer>(pool, pool.get()), caps.of);
  return pool;
}

// --- waiting ---

Pool::Waiting::Waiting(Pool& pool, net::Event& event)
    : pool_(pool), event_(event), node_(std::make_shared<Node>()) {
  node_->since = Clock::now();
  node_->worker = &event.worker();
  node_->event = &event;
  Aftermath aftermath;
  {
    MutexLock lock(pool_.mutex_);
    pool_.waiting_.push_back(node_);
    // A backend may have come back since TryAcquire found none.
    if (pool_.waiting_.size() == 1) {
      if (Backend* backend = pool_.PopIdle(event.worker().index()); backend != nullptr) {
        pool_.waiting_.pop_front();
        node_->queued = false;
        node_->granted = backend;
        aftermath.woken.push_back(node_);
      }
    }
    pool_.PlanOpening(aftermath);
  }
  pool_.Finish(std::move(aftermath));
}

Pool::Waiting::~Waiting() {
  node_->event = nullptr;
  Backend* unwanted = nullptr;
  Aftermath aftermath;
  {
    MutexLock lock(pool_.mutex_);
    if (node_->queued) {
      std::erase(pool_.waiting_, node_);
      node_->queued = false;
      if (pool_.starving_) pool_.PlanOpening(aftermath);
    }
    unwanted = std::exchange(node_->granted, nullptr);
  }
  pool_.Finish(std::move(aftermath));
  if (unwanted == nullptr) return;
  unwanted->stream().socket().Unpark(event_.worker(), nullptr);
  pool_.Return(*unwanted, Clock::now());
}

StatusOr<Lease> Pool::Waiting::Poll() {
  Backend* backend = nullptr;
  bool poked = false;
  {
    MutexLock lock(pool_.mutex_);
    if (!node_->failure.ok()) return node_->failure;
    backend = std::exchange(node_->granted, nullptr);
    if (backend == nullptr) return Lease();
    poked = std::exchange(backend->poked_, false);
  }
  backend->stream().socket().Unpark(event_.worker(), &event_);
  if (poked) backend->stream().socket().NoteReadable();
  return Lease(&pool_, backend);
}

Status Pool::Waiting::TimedOut() const {
  MutexLock lock(pool_.mutex_);
  if (pool_.headless_) {
    return Errorf(sqlstate::kCannotConnectNow, "node \"{}\" has no primary now",
                  pool_.target_.node);
  }
  if (!pool_.last_failure_.ok()) return pool_.last_failure_;
  using std::chrono::milliseconds;
  const auto waited = std::chrono::duration_cast<milliseconds>(Clock::now() - node_->since).count();
  const std::string exhausted = pool_.starving_ ? pool_.share_->Exhausted() : "";
  if (!exhausted.empty()) {
    return Errorf(sqlstate::kTooManyConnections,
                  "no server connection became free within {} ms (pool.wait_timeout): {}, and {} "
                  "clients wait",
                  waited, exhausted, pool_.waiting_.size());
  }
  return Errorf(
      sqlstate::kTooManyConnections,
      "no server connection became free within {} ms: all {} are in use and {} clients wait "
      "(pool.wait_timeout, pool.size)",
      waited, pool_.all_.size(), pool_.waiting_.size());
}

// --- acquiring and giving back ---

Lease Pool::Acquire(net::Event& event, uint64_t custom_settings, bool spare) {
  net::Worker& worker = event.worker();
  Backend* backend;
  bool poked;
  {
    MutexLock lock(mutex_);
    if (!waiting_.empty() || (spare && idle_count_ < 2)) return Lease();
    backend = PopIdle(worker.index(), custom_settings);
    if (backend == nullptr) return Lease();
    poked = std::exchange(backend->poked_, false);
  }
  backend->stream().socket().Unpark(worker, &event);
  if (poked) backend->stream().socket().NoteReadable();
  return Lease(this, backend);
}

// One of two, so that the client that comes while it is in use finds the other.
void Pool::OpenSpare() {
  Aftermath aftermath;
  {
    MutexLock lock(mutex_);
    if (at_rest() || !target_.complete() || !waiting_.empty()) return;
    const int missing = 2 - idle_count_ - connecting_;
    if (missing <= 0 || open() + connecting_ + missing > limits_.size) return;
    aftermath.opening = share_->ClaimSpare(missing);
    connecting_ += static_cast<int>(aftermath.opening.size());
  }
  Finish(std::move(aftermath));
}

// Of its own worker's the newest that suits, else another worker's, else one that does not suit.
Backend* Pool::PopIdle(int worker, uint64_t custom_settings) {
  const auto suits = [&](const Backend* backend) {
    return backend->custom_settings == 0 || backend->custom_settings == custom_settings;
  };
  std::vector<Backend*>* from = nullptr;
  std::vector<Backend*>::reverse_iterator found;
  for (size_t i = 0; i < idle_.size(); ++i) {
    auto& list = idle_[(static_cast<size_t>(worker) + i) % idle_.size()];
    if (list.empty()) continue;
    const auto suitable = std::find_if(list.rbegin(), list.rend(), suits);
    const bool suited = suitable != list.rend();
    if (from != nullptr && !suited) continue;
    from = &list;
    found = suited ? suitable : list.rbegin();
    if (suited) break;
  }
  if (from == nullptr) return nullptr;
  Backend* backend = *found;
  from->erase(std::next(found).base());
  --idle_count_;
  backend->state_ = Backend::State::kLeased;
  return backend;
}

bool Pool::CancelUnderWay(const Backend& backend) const {
  MutexLock lock(mutex_);
  return backend.cancels_under_way_ > 0;
}

void Pool::Return(Backend& backend, TimePoint now) {
  PGWEIR_CHECK(backend.tracker.idle());
  // Bytes that nobody has read would be met by the next owner; an idle server sends few.
  const bool poked = backend.stream().readable();
  backend.idle_since = now;
  backend.stream().socket().Park(this, backend.id().value);
  GiveBack(backend, poked);
}

// The backend is parked on the calling worker.
void Pool::GiveBack(Backend& backend, bool poked) {
  net::Worker* home = backend.stream().socket().worker();
  bool inspect = false;
  Aftermath aftermath;
  {
    MutexLock lock(mutex_);
    backend.poked_ |= poked;
    if (!MayStay(backend, backend.idle_since)) {
      aftermath.closing.push_back(Take(backend));
      PlanOpening(aftermath);
    } else if (backend.cancels_under_way_ > 0) {
      backend.state_ = Backend::State::kBeingCancelled;
    } else if (backend.poked_) {
      backend.poked_ = false;
      inspect = true;
    } else if (share_->Yield(backend.place_,
                             waiting_.empty() ? kNoDeadline : waiting_.front()->since)) {
      LogDebug("server connection makes way pool={} backend={}", name_, backend.id().value);
      aftermath.closing.push_back(Take(backend));
      PlanOpening(aftermath);
    } else if (!waiting_.empty()) {
      auto node = std::move(waiting_.front());
      waiting_.pop_front();
      node->queued = false;
      node->granted = &backend;
      backend.state_ = Backend::State::kLeased;
      aftermath.woken.push_back(std::move(node));
      if (starving_) PlanOpening(aftermath);
    } else {
      backend.state_ = Backend::State::kIdle;
      idle_[static_cast<size_t>(home->index())].push_back(&backend);
      ++idle_count_;
      return;
    }
  }
  if (inspect) return Inspect(backend);
  Finish(std::move(aftermath));
}

void Pool::Discard(Backend& backend) {
  Aftermath aftermath;
  {
    MutexLock lock(mutex_);
    aftermath.closing.push_back(Take(backend));
    PlanOpening(aftermath);
  }
  Finish(std::move(aftermath));
}

bool Pool::MayStay(const Backend& backend, TimePoint now) const {
  if (at_rest() || backend.target_version_ != target_version_) return false;
  if (now >= backend.retire_at) return false;
  // Overflow serves those who wait and no longer.
  return !waiting_.empty() || open() <= limits_.size;
}

Pool::Owned Pool::Take(Backend& backend) {
  const auto it = all_.find(backend.id().value);
  PGWEIR_CHECK(it != all_.end());
  Owned owned = std::move(it->second);
  all_.erase(it);
  if (IsLeftBehind(owned->target_version_)) --left_behind_;
  owned->place_.BeginParting();
  return owned;
}

void Pool::Finish(Aftermath aftermath) {
  for (const auto& node : aftermath.woken) Wake(node);
  for (Owned& backend : aftermath.closing) {
    Place place = std::move(backend->place_);
    const bool awaits = aftermath.await_end && place.limited();
    const int fd = awaits ? dup(backend->stream().socket().fd()) : -1;
    backend.reset();
    if (fd < 0) continue;
    net::Worker& worker = SomeWorker(services_);
    worker.Post([&worker, fd, place = std::move(place)]() mutable {
      net::Spawn(AwaitEnd(worker, fd, std::move(place)));
    });
  }
  Open(std::move(aftermath.opening));
  if (aftermath.lacks_places) share_->AskForRoom();
}

void Pool::Wake(const std::shared_ptr<Waiting::Node>& node) {
  if (node->worker->IsCurrent()) {
    if (node->event != nullptr) node->event->Set();
    return;
  }
  node->worker->Post([node] {
    if (node->event != nullptr) node->event->Set();
  });
}

// --- opening ---

// For every waiting client that a login under way won't serve, as far as limits and caps allow.
void Pool::PlanOpening(Aftermath& aftermath) {
  int wanted = 0;
  size_t got = 0;
  do {
    wanted = at_rest()
                 ? 0
                 : BackendsToOpen(limits_, open(), connecting_, static_cast<int>(waiting_.size()));
    if (wanted == 0 && !starving_) return;
    const TimePoint since =
        wanted > 0 ? waiting_[static_cast<size_t>(connecting_)]->since : kNoDeadline;
    std::vector<Place> places = share_->Claim(wanted, since);
    got = places.size();
    connecting_ += static_cast<int>(got);
    std::move(places.begin(), places.end(), std::back_inserter(aftermath.opening));
    starving_ = static_cast<int>(got) < wanted;
  } while (starving_ && got > 0);
  aftermath.lacks_places = starving_;
}

void Pool::Open(std::vector<Place> places) {
  if (places.empty()) return;
  Target target;
  Connector::Patience patience{};
  Attempt attempt;
  {
    MutexLock lock(mutex_);
    target = target_;
    patience = {limits_.server_connect_timeout, MaxConnectPause(limits_.wait_timeout)};
    attempt = {target_version_, target.watch};
  }
  net::Worker& home = SomeWorker(services_);
  for (Place& place : places) {
    services_.connector.Open(target, patience,
                             [self = shared_from_this(), &home, attempt,
                              place = std::move(place)](StatusOr<Owned> opened) mutable {
                               self->OnOpened(std::move(opened), attempt, std::move(place), home);
                             });
  }
}

void Pool::OnFailed(const Status& failure, const Attempt& attempt) {
  LogWarn("server login failed pool={} sqlstate={} message=\"{}\"", name_, SqlStateOf(failure),
          MessageOf(failure));
  Aftermath aftermath;
  {
    MutexLock lock(mutex_);
    if (IsLeftBehind(attempt.version)) return;
    --connecting_;
    last_failure_ = failure;
    if (!WorthRetrying(failure)) {
      for (auto& node : waiting_) {
        node->queued = false;
        node->failure = failure;
        aftermath.woken.push_back(std::move(node));
      }
      waiting_.clear();
    }
    PlanOpening(aftermath);
  }
  Finish(std::move(aftermath));
}

void Pool::OnOpened(StatusOr<Owned> opened, const Attempt& attempt, Place place,
                    net::Worker& home) {
  if (attempt.watch != nullptr) {
    if (opened.ok()) {
      attempt.watch->LoggedIn();
    } else {
      attempt.watch->LoginFailed(opened.status());
    }
  }
  if (!opened.ok()) {
    // Others first: this server may be down for long, and theirs not.
    place.GiveBack();
    return OnFailed(opened.status(), attempt);
  }
  Backend* backend = opened->get();
  backend->target_version_ = attempt.version;
  backend->watch = attempt.watch;
  LogInfo("new connection to server pool={} backend={} server_pid={} tls={}", name_,
          backend->id().value, backend->process_id(), backend->stream().tls());
  {
    MutexLock lock(mutex_);
    if (IsLeftBehind(attempt.version)) return;
    last_failure_ = absl::OkStatus();
    backend->retire_at = RetireAt(backend->opened_at, limits_.recycle, Random());
    if (login_parameters_ == nullptr || !(*login_parameters_ == *backend->parameters)) {
      login_parameters_ = backend->parameters;
      settings_.clear();
    } else {
      backend->parameters = login_parameters_;
    }
  }
  backend->place_ = std::move(place);
  home.Post([self = shared_from_this(), owned = std::move(*opened), &home]() mutable {
    self->Land(std::move(owned), home);
  });
}

// Its life on a worker begins as that of one that was just given back. It counts as connecting up
// to then, so that nobody misses it and opens another.
void Pool::Land(Owned owned, net::Worker& home) {
  Backend& backend = *owned;
  backend.stream().socket().Attach(home, nullptr);
  {
    MutexLock lock(mutex_);
    if (IsLeftBehind(backend.target_version_)) {
      ++left_behind_;
    } else {
      --connecting_;
    }
    all_.emplace(backend.id().value, std::move(owned));
  }
  Return(backend, Clock::now());
}

// --- cancelling ---

void Pool::Cancel(Backend& backend, absl::AnyInvocable<void()> done) {
  {
    MutexLock lock(mutex_);
    ++backend.cancels_under_way_;
  }
  services_.canceller.Send(backend.cancel(), [self = shared_from_this(), id = backend.id(),
                                              done = std::move(done)]() mutable {
    self->OnCancelled(id);
    done();
  });
}

void Pool::OnCancelled(BackendId id) {
  net::Worker* home = nullptr;
  Backend* backend = nullptr;
  {
    MutexLock lock(mutex_);
    const auto it = all_.find(id.value);
    if (it == all_.end()) return;
    backend = it->second.get();
    const bool last = --backend->cancels_under_way_ == 0;
    if (!last || backend->state_ != Backend::State::kBeingCancelled) return;
    backend->state_ = Backend::State::kLeased;
    home = backend->stream().socket().worker();
  }
  home->Post([self = shared_from_this(), backend] { self->GiveBack(*backend, false); });
}

// --- idle backends ---

// An idle backend has news. It may have been taken by somebody in the same instant, who is then
// told.
void Pool::OnPoll(uint32_t, uint64_t token) {
  Backend* backend = nullptr;
  {
    MutexLock lock(mutex_);
    const auto it = all_.find(token);
    if (it == all_.end()) return;
    backend = it->second.get();
    if (backend->state_ != Backend::State::kIdle) {
      backend->poked_ = true;
      return;
    }
    auto& list = idle_[static_cast<size_t>(net::Worker::Current()->index())];
    if (std::erase(list, backend) == 0) return;  // parked with another worker meanwhile
    --idle_count_;
    backend->state_ = Backend::State::kLeased;
  }
  Inspect(*backend);
}

// Reads what a backend said that nobody uses: a changed setting or a notice is taken note of,
// anything else ends it.
void Pool::Inspect(Backend& backend) {
  net::Worker& worker = *net::Worker::Current();
  backend.stream().socket().Unpark(worker, nullptr);
  backend.stream().socket().NoteReadable();
  if (!DrainUnasked(backend, worker.scratch())) {
    LogInfo("server connection closed while idle pool={} backend={}", name_, backend.id().value);
    if (backend.watch != nullptr) backend.watch->Suspect();
    return Discard(backend);
  }
  backend.stream().socket().Park(this, backend.id().value);
  GiveBack(backend, false);
}

// Whether an idle backend should end now that nobody waits.
bool Pool::Surplus(Backend& backend, TimePoint now) const {
  if (now >= backend.retire_at || open() > limits_.size) return true;
  if (share_->Yield(backend.place_, kNoDeadline)) return true;
  return limits_.idle_timeout != Duration::zero() && open() > limits_.min_size &&
         now - backend.idle_since >= limits_.idle_timeout;
}

void Pool::CloseIdle(bool all, TimePoint now, Aftermath& aftermath) {
  for (auto& list : idle_) {
    size_t kept = 0;
    for (Backend* backend : list) {
      if (all || Surplus(*backend, now)) {
        aftermath.closing.push_back(Take(*backend));
        --idle_count_;
      } else {
        list[kept++] = backend;
      }
    }
    list.resize(kept);
  }
}

void Pool::Maintain(TimePoint now) {
  Aftermath aftermath;
  {
    MutexLock lock(mutex_);
    CloseIdle(false, now, aftermath);
    if (!at_rest()) {
      // Without keys nothing can be opened until a client has brought them.
      if (target_.complete()) {
        aftermath.opening = share_->ClaimSpare(BackendsToKeepReady(limits_, open(), connecting_));
        connecting_ += static_cast<int>(aftermath.opening.size());
      }
      PlanOpening(aftermath);
    }
  }
  for (const Owned& backend : aftermath.closing) {
    LogInfo("closing because: server idle timeout or lifetime over (age={}s) pool={} backend={}",
            std::chrono::duration_cast<std::chrono::seconds>(now - backend->opened_at).count(),
            name_, backend->id().value);
  }
  Finish(std::move(aftermath));
}

void Pool::Reconfigure(Target target, const config::Pool& limits) {
  Aftermath aftermath;
  {
    MutexLock lock(mutex_);
    limits_ = limits;
    if (!(target == target_)) {
      const bool moves = target.connection_string != target_.connection_string;
      target_ = std::move(target);
      ++target_version_;
      login_parameters_ = nullptr;
      settings_.clear();
      CloseIdle(true, Clock::now(), aftermath);
      if (moves) {
        course_since_ = target_version_;
        left_behind_ = static_cast<int>(all_.size());
        connecting_ = 0;
        last_failure_ = absl::OkStatus();
      }
    }
    PlanOpening(aftermath);
  }
  Finish(std::move(aftermath));
}

void Pool::SetHeadless(bool headless) {
  Aftermath aftermath;
  {
    MutexLock lock(mutex_);
    if (headless_ == headless) return;
    headless_ = headless;
    if (headless) CloseIdle(true, Clock::now(), aftermath);
    PlanOpening(aftermath);
  }
  Finish(std::move(aftermath));
}

void Pool::ForgetKeys() {
  MutexLock lock(mutex_);
  if (target_.hashed) target_.hashed = wire::ScramLoginRef();
}

void Pool::Close() {
  Aftermath aftermath;
  aftermath.await_end = false;
  {
    MutexLock lock(mutex_);
    closed_ = true;
    CloseIdle(true, Clock::now(), aftermath);
    PlanOpening(aftermath);
  }
  Finish(std::move(aftermath));
}

// --- what others ask ---

wire::ParametersRef Pool::login_parameters() const {
  MutexLock lock(mutex_);
  return login_parameters_;
}

wire::ParametersRef Pool::FindSettings(const std::string& sql) const {
  MutexLock lock(mutex_);
  const auto it = settings_.find(sql);
  return it == settings_.end() ? nullptr : it->second;
}

void Pool::RememberSettings(const std::string& sql, wire::ParametersRef parameters) {
  MutexLock lock(mutex_);
  if (settings_.size() >= kMaxSettings) settings_.clear();
  settings_[sql] = std::move(parameters);
}

config::Pool Pool::limits() const {
  MutexLock lock(mutex_);
  return limits_;
}

Target Pool::target() const {
  MutexLock lock(mutex_);
  return target_;
}

}  // namespace pgweir::pooler
