#include "bench/users_driver.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "fmt/format.h"

namespace pgweir::bench {

using std::chrono::duration_cast;

UsersDriver::UsersDriver(const UsersOptions& options, const std::vector<Instrument>& instruments)
    : options_(options),
      instruments_(instruments),
      start_(Clock::now()),
      schedule_(options.schedule, start_, options.seed),
      pool_(options.pool_size, options.overflow, options.pool_timeout),
      random_(options.seed + 1'000'003),
      popularity_(Popularity(instruments.size())),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      next_progress_(start_ + std::chrono::seconds(1)) {}

UsersDriver::~UsersDriver() { close(epoll_); }

UsersResult UsersDriver::Run() {
  Clock::time_point now = Clock::now();
  while (!Over(now)) {
    StartDue(now);
    TimeOutWaiters(now);
    EndWork(now);
    ShowProgress(now);
    Wait(now);
    now = Clock::now();
  }
  for (size_t left = requests_.size(); left > 0; --left) {
    result_.Count(Failure::kUnanswered, "no answer");
  }
  result_.most_open = pool_.most_open();
  return std::move(result_);
}

bool UsersDriver::Over(Clock::time_point now) const {
  if (schedule_.Next()) return false;
  return (now >= schedule_.end() && requests_.empty()) || now >= schedule_.end() + options_.grace;
}

void UsersDriver::StartDue(Clock::time_point now) {
  for (auto due = schedule_.Next(); due && *due <= now; due = schedule_.Next()) {
    schedule_.Advance();
    const uint64_t id = ++last_id_;
    ++result_.due;
    requests_[id].due = *due;
    if (const auto grant = pool_.CheckOut(id, now)) Obey(*grant);
  }
  result_.most_waiting = std::max(result_.most_waiting, pool_.waiting());
}

void UsersDriver::TimeOutWaiters(Clock::time_point now) {
  for (const uint64_t request : pool_.TimeOut(now)) {
    requests_.erase(request);
    result_.Count(Failure::kPoolTimeout, "time-out of the application's pool");
  }
}

void UsersDriver::EndWork(Clock::time_point now) {
  while (!working_.empty() && working_.front().at <= now) {
    const uint64_t request = working_.front().request;
    working_.pop_front();
    Begin(request);
  }
}

void UsersDriver::ShowProgress(Clock::time_point now) {
  if (now < next_progress_) return;
  fmt::print("{}\n", ProgressLine(result_, next_progress_ - start_));
  std::fflush(stdout);
  next_progress_ += std::chrono::seconds(1);
}

UsersDriver::Clock::time_point UsersDriver::NextEvent() const {
  Clock::time_point next = next_progress_;
  if (const auto due = schedule_.Next()) next = std::min(next, *due);
  if (const auto deadline = pool_.NextTimeOut()) next = std::min(next, *deadline);
  if (!working_.empty()) next = std::min(next, working_.front().at);
  return next;
}

void UsersDriver::Wait(Clock::time_point now) {
  const auto wait = std::max(Clock::duration::zero(), NextEvent() - now);
  const auto seconds = duration_cast<std::chrono::seconds>(wait);
  const timespec limit{seconds.count(), (wait - seconds).count()};
  std::array<epoll_event, 256> events;
  const int count = epoll_pwait2(epoll_, events.data(), events.size(), &limit, nullptr);
  for (int i = 0; i < count; ++i) OnReady(events.at(static_cast<size_t>(i)).data.u64);
}

void UsersDriver::Obey(const AppPool::Grant& grant) {
  if (!grant.connection) {
    OpenFor(grant.request);
    return;
  }
  requests_.at(grant.request).connection = *grant.connection;
  connections_.at(*grant.connection).request = grant.request;
  Begin(grant.request);
}

void UsersDriver::OpenFor(uint64_t request) {
  const uint64_t id = ++last_id_;
  auto connection = std::make_unique<UserConnection>(options_.conninfo);
  const bool opens = connection->socket() >= 0;
  connections_[id] = {std::move(connection), request, 0};
  requests_.at(request).connection = id;
  if (opens) {
    Watch(id);
  } else {
    OnFailed(id);
  }
}

// Of a connection that this round of events has closed, there may be one more. What is lost while
// nothing is asked of it is noticed when it is used next.
void UsersDriver::OnReady(uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Held& held = found->second;
  if (!held.connection->busy()) {
    epoll_ctl(epoll_, EPOLL_CTL_DEL, held.connection->socket(), nullptr);
    held.interest = 0;
    return;
  }
  switch (held.connection->Continue()) {
    case UserConnection::Outcome::kUnderWay:
      Watch(id);
      break;
    case UserConnection::Outcome::kDone:
      OnDone(id);
      break;
    case UserConnection::Outcome::kFailed:
      OnFailed(id);
      break;
  }
}

// Connected, or the end of a transaction.
void UsersDriver::OnDone(uint64_t id) {
  const uint64_t request_id = connections_.at(id).request;
  Request& request = requests_.at(request_id);
  if (request.connected == Clock::time_point()) {
    Begin(request_id);
  } else if (request.worked) {
    Finish(request_id);
  } else {
    working_.push_back({Clock::now() + options_.schedule.work, request_id});
    request.worked = true;
  }
}

void UsersDriver::OnFailed(uint64_t id) {
  const Held& held = connections_.at(id);
  const UserConnection& connection = *held.connection;
  result_.Count(connection.connected() ? Failure::kFailed : Failure::kRefused, connection.error());
  requests_.erase(held.request);
  connections_.erase(id);
  if (const auto grant = pool_.Lose()) Obey(*grant);
}

void UsersDriver::Begin(uint64_t id) {
  Request& request = requests_.at(id);
  if (!request.worked) request.connected = Clock::now();
  UserConnection& connection = *connections_.at(request.connection).connection;
  connection.Run(request.worked ? Write(request) : Read());
  if (connection.failed()) {
    OnFailed(request.connection);
  } else {
    Watch(request.connection);
  }
}

void UsersDriver::Finish(uint64_t id) {
  const auto now = Clock::now();
  auto node = requests_.extract(id);
  Request& request = node.mapped();
  const auto latency = now - request.due - options_.schedule.work;
  result_.latencies_us.push_back(static_cast<uint32_t>(latency / std::chrono::microseconds(1)));
  result_.served += now - request.connected - options_.schedule.work;
  result_.confirmed.push_back(std::move(request.order));
  connections_.at(request.connection).request = 0;
  const auto [next, close] = pool_.GiveBack(request.connection);
  if (next) Obey(*next);
  if (close) connections_.erase(request.connection);
}

// libpq may change the socket while it connects.
void UsersDriver::Watch(uint64_t id) {
  Held& held = connections_.at(id);
  epoll_event event{};
  event.events = EPOLLIN | (held.connection->wants_write() ? EPOLLOUT : 0U);
  event.data.u64 = id;
  if (held.connection->connected() && held.interest == event.events) return;
  held.interest = event.events;
  const int socket = held.connection->socket();
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, socket, &event) == 0) return;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
}

Transaction UsersDriver::Read() {
  return {kNewestTrades, {instruments_[popularity_(random_)].symbol}};
}

Transaction UsersDriver::Write(Request& request) {
  const Instrument& instrument = instruments_[popularity_(random_)];
  request.order = fmt::format("{}-{}", options_.run, ++last_id_);
  const std::string quantity = fmt::format("{}.{:03}", Draw(10), 1 + Draw(999));
  return {kInsertTrade,
          {instrument.symbol, instrument.price, quantity, Draw(2) == 0 ? "buy" : "sell",
           request.order}};
}

int UsersDriver::Draw(int below) {
  return std::uniform_int_distribution<int>(0, below - 1)(random_);
}

}  // namespace pgweir::bench
