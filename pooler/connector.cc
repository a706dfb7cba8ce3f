#include "pooler/connector.h"

#include <algorithm>
#include <atomic>
#include <random>

#include "base/log.h"
#include "pooler/pool_policy.h"

namespace pgweir::pooler {
namespace {

std::atomic<uint64_t> next_backend_id{1};

double Random() {
  static thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

// libpq's arrays of keywords and values; valid as long as the target.
struct Keywords {
  explicit Keywords(const Target& target) {
    // The first dbname is read as a connection string; what follows overrides it, "" leaves it.
    names = {"dbname", "dbname", "user", "password", "gssencmode", "tcp_user_timeout"};
    values = {target.connection_string.c_str(),
              target.database.c_str(),
              target.user.c_str(),
              target.password.c_str(),
              "disable",
              "30000"};
    for (const auto& [keyword, value] : target.keywords) {
      names.push_back(keyword.c_str());
      values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
  }
  std::vector<const char*> names, values;
};

PgConnPtr Quiet(PGconn* connection) {
  if (connection != nullptr) {
    PQsetNoticeProcessor(connection, [](void*, const char*) {}, nullptr);
    // Makes libpq put the SQLSTATE into its message: there is no other way to learn it.
    PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);
  }
  return PgConnPtr(connection);
}

PgConnPtr Start(const Target& target) {
  const Keywords keywords(target);
  return Quiet(PQconnectStartParams(keywords.names.data(), keywords.values.data(), 1));
}

bool IsSqlState(std::string_view s) {
  return std::all_of(s.begin(), s.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}

// libpq's message, "... failed: FATAL:  28P01: text\nLOCATION:  ...", as an error with that
// SQLSTATE and text; what the server did not say itself is 08001 with libpq's words.
Status FailureOf(std::string message) {
  if (const size_t location = message.find("\nLOCATION:"); location != std::string::npos) {
    message.resize(location);
  }
  while (!message.empty() && message.back() == '\n') message.pop_back();
  for (size_t at = message.find(":  "); at != std::string::npos; at = message.find(":  ", at + 1)) {
    const std::string_view rest = std::string_view(message).substr(at + 3);
    if (rest.size() > 7 && rest.substr(5, 2) == ": " && IsSqlState(rest.substr(0, 5))) {
      return Error(rest.substr(0, 5), rest.substr(7));
    }
  }
  return Error(sqlstate::kCannotConnect, message);
}

struct OptionsDeleter {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using OptionsPtr = std::unique_ptr<PQconninfoOption, OptionsDeleter>;

std::string ValueOf(const PQconninfoOption* options, std::string_view keyword) {
  for (; options->keyword != nullptr; ++options) {
    if (options->keyword == keyword && options->val != nullptr) return options->val;
  }
  return "";
}

}  // namespace

Connector::Connector(int max_parallel) : max_parallel_(max_parallel) { worker_.Start("connector"); }

Connector::~Connector() {
  worker_.Post([this] {
    stopping_ = true;
    for (net::Event* event : waiting_) event->Set();
  });
  worker_.Stop();
  worker_.Join();
}

void Connector::Open(Target target, Patience patience, Done done) {
  worker_.Post([this, pending = Pending{std::move(target), patience, std::move(done)}]() mutable {
    queue_.push_back(std::move(pending));
    StartSome();
  });
}

void Connector::StartSome() {
  while (running_ < max_parallel_ && !queue_.empty()) {
    Pending pending = std::move(queue_.front());
    queue_.pop_front();
    net::Spawn(Run(std::move(pending)));
  }
}

net::Task<void> Connector::Run(Pending pending) {
  const std::string& host = pending.target.connection_string;
  // A pause doesn't count against the bound: it must not keep a healthy host waiting.
  while (hosts_[host].not_before > Clock::now() && !stopping_) {
    const TimePoint until = hosts_[host].not_before;
    co_await Pause(until);
  }
  if (running_ >= max_parallel_ && !stopping_) {
    queue_.push_front(std::move(pending));
    co_return;
  }
  ++running_;
  const TimePoint started = Clock::now();
  auto result = co_await Connect(pending.target, pending.patience.timeout);
  --running_;
  Host& state = hosts_[host];
  if (result.ok() || !WorthRetrying(result.status())) {
    state.failures = 0;
  } else if (started >= state.not_before) {
    // Attempts that were under way together count as one failure.
    const Duration pause = ConnectBackoff(++state.failures, Random());
    state.not_before = Clock::now() + std::min(pause, pending.patience.max_pause);
  }
  pending.done(std::move(result));
  StartSome();
}

net::Task<bool> Connector::Wait(net::Event& event) {
  if (stopping_) co_return false;
  waiting_.insert(&event);
  co_await event.Wait();
  waiting_.erase(&event);
  co_return !stopping_ && !event.expired();
}

net::Task<void> Connector::Pause(TimePoint until) {
  net::Event event(worker_);
  event.SetDeadline(until);
  while (co_await Wait(event)) {
  }
}

net::Task<StatusOr<std::unique_ptr<Backend>>> Connector::Connect(Target target, Duration timeout) {
  net::Event event(worker_);
  event.SetDeadline(DeadlineAfter(timeout));
  PgConnPtr connection = Start(target);
  if (connection == nullptr) co_return Error(sqlstate::kCannotConnect, "out of memory");
  if (PQstatus(connection.get()) == CONNECTION_BAD) {
    co_return FailureOf(PQerrorMessage(connection.get()));
  }
  PostgresPollingStatusType step = PGRES_POLLING_WRITING;
  while (step != PGRES_POLLING_OK) {
    {
      // libpq may go on with another socket after any step, so each wait watches anew.
      net::Socket socket(PQsocket(connection.get()), net::Socket::Ownership::kBorrows);
      socket.Attach(worker_, &event);
      const bool reading = step == PGRES_POLLING_READING;
      if (!reading) socket.NoteWriteBlocked();
      bool waiting = true;
      while (waiting && !(reading ? socket.readable() : socket.writable())) {
        waiting = co_await Wait(event);
      }
    }
    if (stopping_) co_return Error(sqlstate::kAdminShutdown, "pgweir is shutting down");
    if (event.expired()) {
      co_return Errorf(sqlstate::kCannotConnect,
                       "no connection to the server within {} ms (server_connect_timeout)",
                       std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count());
    }
    step = PQconnectPoll(connection.get());
    if (step == PGRES_POLLING_FAILED) co_return FailureOf(PQerrorMessage(connection.get()));
  }
  co_return std::make_unique<Backend>(BackendId{next_backend_id++}, std::move(connection));
}

PgConnPtr ConnectAndWait(const Target& target) {
  const Keywords keywords(target);
  return Quiet(PQconnectdbParams(keywords.names.data(), keywords.values.data(), 1));
}

StatusOr<std::string> UserIn(const std::string& connection_string) {
  char* message = nullptr;
  const OptionsPtr options(PQconninfoParse(connection_string.c_str(), &message));
  if (options != nullptr) return ValueOf(options.get(), "user");
  std::string reason = message != nullptr ? message : "out of memory";
  PQfreemem(message);
  while (!reason.empty() && reason.back() == '\n') reason.pop_back();
  return Errorf(sqlstate::kConfigFileError, "bad connection string: {}", reason);
}

Destination DestinationOf(const std::string& connection_string) {
  const OptionsPtr options(PQconninfoParse(connection_string.c_str(), nullptr));
  if (options == nullptr) return {};
  Destination destination{.host = ValueOf(options.get(), "host"),
                          .port = ValueOf(options.get(), "port"),
                          .database = ValueOf(options.get(), "dbname"),
                          .user = ValueOf(options.get(), "user")};
  if (destination.host.empty()) destination.host = ValueOf(options.get(), "hostaddr");
  return destination;
}

}  // namespace pgweir::pooler
