#include "tests/support/cache_checker.h"

#include <array>
#include <atomic>
#include <deque>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "tests/support/pgweir_process.h"
#include "tests/support/postgres_server.h"
#include "tests/support/pq.h"

namespace pgweir::test {
namespace {

using Time = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

constexpr int kClients = 16;
constexpr int kRows = 12;
// The longest that any rule below lets an answer live: ttl and what comes behind it.
constexpr milliseconds kOldest{1'200};

Time Now() { return std::chrono::steady_clock::now(); }

// The versions of one row that were confirmed, with when they were.
class Row {
 public:
  void Confirm(int64_t version) {
    const std::lock_guard lock(mutex_);
    if (confirmed_.empty() || version > confirmed_.back().version) {
      confirmed_.push_back({version, Now()});
    }
  }
  // The newest that was confirmed before `moment`.
  int64_t Before(Time moment) {
    const std::lock_guard lock(mutex_);
    while (confirmed_.size() > 1 && confirmed_[1].at < moment - 2 * kOldest) {
      confirmed_.pop_front();
    }
    int64_t newest = 0;
    for (const Confirmed& one : confirmed_) {
      if (one.at < moment) newest = one.version;
    }
    return newest;
  }

 private:
  struct Confirmed {
    int64_t version;
    Time at;
  };
  std::mutex mutex_;
  std::deque<Confirmed> confirmed_;
};

class Checker {
 public:
  explicit Checker(const CacheCheck& check)
      : check_(check), pgweir_(Options(0)), ends_at_(Now() + check.duration) {}

  CacheCheck::Outcome Run() {
    std::vector<std::thread> threads;
    for (int i = 0; i < kClients; ++i) threads.emplace_back([this, i] { BeClient(i); });
    threads.emplace_back([this] { WriteBehind(); });
    threads.emplace_back([this] { Disturb(); });
    for (std::thread& thread : threads) thread.join();
    const Connection console(pgweir_.Conninfo("postgres", "pgweir"));
    const Result shown = console.Exec("show cache");
    CacheCheck::Outcome outcome;
    outcome.writes = writes_;
    outcome.reads = reads_;
    outcome.behind = behind_;
    outcome.hits = std::stoull(shown.Value(0, 2));
    outcome.story = story_;
    return outcome;
  }

 private:
  struct Table {
    const char* name;
    milliseconds may_lag;  // behind what was confirmed before the read began
    std::array<Row, kRows> rows;
  };

  // Which rules there are changes; what they allow stays below kOldest.
  PgweirOptions Options(unsigned turn) {
    constexpr std::array kTtls = {"100ms", "400ms", "600ms"};
    constexpr std::array kStale = {"0ms", "300ms", "600ms"};
    constexpr std::array kModes = {"on", "on", "on", "on", "on", "shadow", "off"};
    PgweirOptions options;
    options.pool = fmt::format("size = {}", 2 + turn % 5);
    options.databases = DatabaseToml("postgres", postgres_.port());
    options.databases += fmt::format(
        "[cache]\nenabled = true\n[[cache.rules]]\ntables = [\"through\", \"behind\"]\n"
        "ttl = \"{}\"\nstale_while_revalidate = \"{}\"\nstale_if_error = \"{}\"\nmode = \"{}\"\n"
        "verify = 0.1\n",
        kTtls[turn % kTtls.size()], kStale[turn % kStale.size()],
        kStale[(turn + 1) % kStale.size()], kModes[turn % kModes.size()]);
    return options;
  }

  bool Over() const { return Now() >= ends_at_ || behind_ > 0; }

  void BeClient(int number) {
    std::mt19937 random(static_cast<unsigned>(check_.seed * 100 + static_cast<uint64_t>(number)));
    while (!Over()) {
      const Connection client(pgweir_.Conninfo());
      while (client.ok() && PQstatus(client.get()) == CONNECTION_OK && !Over()) {
        if (random() % 6 == 0) {
          Write(client, random);
        } else {
          Read(client, random);
        }
      }
      std::this_thread::sleep_for(milliseconds(20));
    }
  }

  void Write(const Connection& client, std::mt19937& random) {
    const int row = static_cast<int>(random() % kRows);
    const auto update = fmt::format("update through set v = v + 1 where id = {}", row);
    std::string version;
    if (random() % 3 == 0) {
      if (!client.Exec("begin").ok()) return;
      const Result written = client.Exec(update + " returning v");
      if (!written.ok()) return static_cast<void>(client.Exec("rollback"));
      version = written.Value();
      if (!client.Exec("commit").ok()) return;
    } else {
      const Result written = random() % 2 == 0 ? client.Exec(update + " returning v")
                                               : client.ExecParams(
                                                     "update through set v = v + 1 where id = $1 "
                                                     "returning v",
                                                     {std::to_string(row)});
      if (!written.ok()) return;
      version = written.Value();
    }
    if (version.empty()) return;
    through_.rows[static_cast<size_t>(row)].Confirm(std::stoll(version));
    ++writes_;
  }

  void Read(const Connection& client, std::mt19937& random) {
    Table& table = random() % 2 == 0 ? through_ : behind_table_;
    const size_t row = random() % kRows;
    const bool all = random() % 4 == 0;
    std::array<int64_t, kRows> least;
    const Time begun = Now();
    for (size_t i = 0; i < kRows; ++i) least[i] = table.rows[i].Before(begun - table.may_lag);
    const Result read =
        all ? client.Exec(fmt::format("select id, v from {} order by id", table.name))
        : random() % 2 == 0
            ? client.Exec(fmt::format("select id, v from {} where id = {}", table.name, row))
            : client.ExecParams(fmt::format("select id, v from {} where id = $1", table.name),
                                {std::to_string(row)});
    if (!read.ok()) return;
    ++reads_;
    for (int i = 0; i < read.rows(); ++i) {
      const auto id = static_cast<size_t>(std::stoi(read.Value(i, 0)));
      const int64_t version = std::stoll(read.Value(i, 1));
      if (version < least[id]) Blame(table, id, version, least[id]);
    }
  }

  void Blame(const Table& table, size_t row, int64_t seen, int64_t known) {
    const std::lock_guard lock(story_mutex_);
    if (behind_++ > 0) return;
    story_ = fmt::format("row {} of {} was read as of version {}, though {} was confirmed before",
                         row, table.name, seen, known);
  }

  // As another program would that knows nothing of pgweir.
  void WriteBehind() {
    std::mt19937 random(static_cast<unsigned>(check_.seed));
    while (!Over()) {
      const Connection direct(postgres_.Conninfo());
      while (direct.ok() && PQstatus(direct.get()) == CONNECTION_OK && !Over()) {
        const size_t row = random() % kRows;
        const Result written =
            direct.Exec(fmt::format("update behind set v = v + 1 where id = {} returning v", row));
        if (written.ok()) behind_table_.rows[row].Confirm(std::stoll(written.Value()));
        std::this_thread::sleep_for(milliseconds(random() % 20));
      }
      std::this_thread::sleep_for(milliseconds(20));
    }
  }

  void Disturb() {
    std::mt19937 random(static_cast<unsigned>(check_.seed + 1));
    for (unsigned turn = 1; !Over(); ++turn) {
      std::this_thread::sleep_for(milliseconds(200 + random() % 600));
      switch (random() % 4) {
        case 0:
          pgweir_.Rewrite(Options(static_cast<unsigned>(random())));
          pgweir_.Reload("reload");
          break;
        case 1: {
          const Connection console(pgweir_.Conninfo("postgres", "pgweir"));
          console.Exec(random() % 2 == 0 ? "cache flush" : "reconnect");
          break;
        }
        case 2: {
          const Connection direct(postgres_.Conninfo());
          direct.Exec(
              "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = "
              "'client backend' and pid <> pg_backend_pid() and random() < 0.5");
          break;
        }
        default:
          if (turn % 5 != 0) break;
          postgres_.Stop(StopMode::kImmediate);
          std::this_thread::sleep_for(milliseconds(100));
          postgres_.Start();
      }
    }
  }

  static void Fill(const PostgresServer& server) {
    for (const char* table : {"through", "behind"}) {
      server.Query(fmt::format("create table {} (id int primary key, v bigint)", table));
      server.Query(fmt::format("insert into {} select i, 0 from generate_series(0, {}) i", table,
                               kRows - 1));
    }
  }

  const CacheCheck check_;
  // A commit that was confirmed is there after a crash.
  PostgresServer postgres_{{.max_connections = 100, .settings = {"fsync = on"}}};
  const int filled_ = (Fill(postgres_), 0);
  PgweirProcess pgweir_;
  const Time ends_at_;
  Table through_{"through", milliseconds(0), {}};
  Table behind_table_{"behind", kOldest, {}};
  std::atomic<uint64_t> writes_ = 0, reads_ = 0, behind_ = 0;
  std::mutex story_mutex_;
  std::string story_;
};

}  // namespace

CacheCheck::Outcome CacheCheck::Run() const { return Checker(*this).Run(); }

}  // namespace pgweir::test
