// libpqxx 6.4: its transactions, prepared statements, cursors, streams and pipelines.
//
// Takes the connection from libpq's environment variables and the names of the cases to run from
// its arguments (none = all); prints "ok NAME" or "FAILED NAME: why" for each.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <pqxx/pqxx>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace {

constexpr int kSessions = 20;
constexpr int kTransactions = 50;
constexpr int kCaseSeconds = 15;

bool Pooled() {
  const char* setting = std::getenv("DRIVERS_POOLED");
  return setting != nullptr && std::string(setting) == "1";
}

template <typename T>
void Equal(const T& got, const T& expected) {
  if (got == expected) return;
  throw std::logic_error("got " + pqxx::to_string(got) + ", expected " + pqxx::to_string(expected));
}

void Equal(const std::string& got, const char* expected) { Equal(got, std::string(expected)); }

// The action must end in a server's error with this SQLSTATE.
void Fails(const char* sqlstate, const std::function<void()>& action) {
  try {
    action();
  } catch (const pqxx::sql_error& error) {
    Equal(error.sqlstate(), sqlstate);
    return;
  }
  throw std::logic_error(std::string("no error, expected ") + sqlstate);
}

std::string Value(pqxx::transaction_base& tx, const std::string& sql) {
  return tx.exec1(sql)[0].c_str();
}

std::string Value(pqxx::connection_base& connection, const std::string& sql) {
  pqxx::work tx(connection);
  std::string value = Value(tx, sql);
  tx.commit();
  return value;
}

void Run(pqxx::connection_base& connection, const std::string& sql) {
  pqxx::nontransaction tx(connection);
  tx.exec(sql);
}

// Two sessions that take turns at holding a transaction open, so that the transactions of a third
// one keep changing backends.
class Neighbours {
 public:
  void Shift() {
    const size_t coming = 1 - holding_;
    held_[coming] = std::make_unique<pqxx::work>(sessions_[coming]);
    held_[coming]->exec("select 1");
    held_[holding_].reset();
    holding_ = coming;
  }

 private:
  pqxx::connection sessions_[2];
  std::unique_ptr<pqxx::work> held_[2];
  size_t holding_ = 0;
};

class Moves {
 public:
  void Note(pqxx::connection_base& connection) {
    const std::string pid = Value(connection, "select pg_backend_pid()");
    if (first_.empty()) first_ = pid;
    moved_ = moved_ || pid != first_;
  }
  void Check() const {
    if (moved_ != Pooled()) {
      throw std::logic_error(moved_ ? "it moved" : "the session never changed its backend");
    }
  }

 private:
  std::string first_;
  bool moved_ = false;
};

void ConnectsByScramOverTls() {
  pqxx::connection c;
  Equal(Value(c, "select current_user"), std::getenv("PGUSER"));
  try {
    pqxx::connection wrong("password=wrong");
  } catch (const pqxx::broken_connection&) {
    return;
  }
  throw std::logic_error("a wrong password is let in");
}

void SimpleAndParameters() {
  pqxx::connection c;
  pqxx::work tx(c);
  Equal(tx.exec("select generate_series(1, 3)").size(), size_t{3});
  Equal(std::string(tx.exec_params1("select $1::int + $2::int", 1, 2)[0].c_str()), "3");
  Equal(std::string(tx.exec_params1("select $1::text", "it's")[0].c_str()), "it's");
  const pqxx::binarystring bytes(std::string("\0\1\\'\377", 5));
  const pqxx::row row = tx.exec_params1("select $1::bytea", bytes);
  if (pqxx::binarystring(row[0]) != bytes) throw std::logic_error("bytes changed on the way");
}

void PreparedAcrossTransactions() {
  pqxx::connection c, other;
  Neighbours neighbours;
  c.prepare("s", "select $1::int * 2");
  other.prepare("s", "select $1::int * 3");
  Moves moves;
  for (int n = 0; n < 20; ++n) {
    neighbours.Shift();
    {
      pqxx::work tx(c);
      Equal(tx.exec_prepared1("s", n)[0].as<int>(), 2 * n);
      tx.commit();
    }
    moves.Note(c);
    pqxx::work tx(other);
    Equal(tx.exec_prepared1("s", n)[0].as<int>(), 3 * n);
  }
  moves.Check();
  c.unprepare("s");
  Run(c, "prepare s(int) as select $1 * 4");
  Equal(Value(c, "execute s(2)"), "8");
}

void CommitRollbackAndSavepoints() {
  pqxx::connection c;
  Run(c, "drop table if exists libpqxx_tx; create table libpqxx_tx (id int)");
  {
    pqxx::work tx(c);
    tx.exec("insert into libpqxx_tx values (1)");
    {
      pqxx::subtransaction inner(tx, "inner_one");
      inner.exec("insert into libpqxx_tx values (2)");
    }
    {
      pqxx::subtransaction inner(tx);
      inner.exec("insert into libpqxx_tx values (3)");
      inner.commit();
    }
    tx.commit();
  }
  {
    pqxx::work tx(c);
    tx.exec("insert into libpqxx_tx values (4)");
    Fails("22012", [&] { tx.exec("select 1/0"); });
  }
  Equal(Value(c, "select string_agg(id::text, ',' order by id) from libpqxx_tx"), "1,3");
  int tries = 0;
  pqxx::perform([&] {
    pqxx::work tx(c);
    tx.exec("insert into libpqxx_tx values (5)");
    if (++tries < 3) throw pqxx::serialization_failure("again");
    tx.commit();
  });
  Equal(Value(c, "select count(*) from libpqxx_tx where id = 5"), "1");
}

void IsolationLevels() {
  pqxx::connection c, other;
  Neighbours neighbours;
  for (int turn = 0; turn < 4; ++turn) {
    neighbours.Shift();
    pqxx::transaction<pqxx::serializable> strict(c);
    Equal(Value(strict, "show transaction_isolation"), "serializable");
    strict.commit();
    pqxx::read_transaction reading(other);
    Equal(Value(reading, "show transaction_read_only"), "on");
    reading.commit();
    Equal(Value(c, "show transaction_isolation"), "read committed");
  }
}

void StreamsInAndOut() {
  pqxx::connection c;
  Run(c, "drop table if exists libpqxx_copy; create table libpqxx_copy (id int, t text)");
  {
    pqxx::work tx(c);
    pqxx::stream_to stream(tx, "libpqxx_copy", std::vector<std::string>{"id", "t"});
    for (int n = 0; n < 10000; ++n) stream << std::make_tuple(n, "row " + std::to_string(n));
    stream.complete();
    tx.commit();
  }
  pqxx::work tx(c);
  pqxx::stream_from stream(tx, "libpqxx_copy", std::vector<std::string>{"id", "t"});
  std::string line;
  int rows = 0;
  while (stream.get_raw_line(line)) ++rows;
  stream.complete();
  Equal(rows, 10000);
}

void CancelOfARunningStatement() {
  pqxx::connection c;
  for (int turn = 0; turn < 3; ++turn) {
    std::thread cancel([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      c.cancel_query();
    });
    try {
      Fails("57014", [&] { Value(c, "select pg_sleep(15)"); });
    } catch (...) {
      cancel.join();
      throw;
    }
    cancel.join();
    Equal(Value(c, "select 1"), "1");
  }
}

class Heard : public pqxx::notification_receiver {
 public:
  explicit Heard(pqxx::connection_base& c) : notification_receiver(c, "libpqxx_channel") {}
  void operator()(const std::string& payload, int) override { payloads += payload; }
  std::string payloads;
};

void NotificationsAreReceived() {
  pqxx::connection listener, c;
  Heard heard(listener);
  for (int n = 0; n < 5; ++n) {
    Value(c, "select pg_notify('libpqxx_channel', '" + std::to_string(n) + "')");
  }
  for (int tries = 0; heard.payloads.size() < 5 && tries < 10; ++tries) {
    listener.await_notification(1, 0);
  }
  Equal(heard.payloads, "01234");
}

void Pipelines() {
  pqxx::connection c;
  pqxx::work tx(c);
  pqxx::pipeline pipeline(tx);
  std::vector<pqxx::pipeline::query_id> ids;
  for (int n = 0; n < 50; ++n) ids.push_back(pipeline.insert("select " + std::to_string(n)));
  for (int n = 0; n < 50; ++n) {
    Equal(pipeline.retrieve(ids[static_cast<size_t>(n)])[0][0].as<int>(), n);
  }
  pipeline.complete();
}

void Cursors() {
  pqxx::connection c;
  Neighbours neighbours;
  pqxx::work tx(c);
  pqxx::icursorstream stream(tx, "select generate_series(1, 1000)", "walk", 100);
  pqxx::result rows;
  size_t seen = 0;
  while (stream >> rows) {
    seen += rows.size();
    neighbours.Shift();
  }
  Equal(seen, size_t{1000});
  tx.commit();
}

void LargeResult() {
  pqxx::connection c;
  pqxx::work tx(c);
  size_t size = 0;
  for (auto row : tx.exec("select repeat('x', 1000) from generate_series(1, 20000)")) {
    size += row[0].size();
  }
  Equal(size, size_t{20'000'000});
  Equal(tx.exec_params1("select length($1)", std::string(5'000'000, 'y'))[0].as<int>(), 5'000'000);
}

void SettingsAreKeptAndNeverMetByOthers() {
  const std::string settings =
      "select concat_ws('|', current_setting('work_mem'), current_setting('timezone'), "
      "coalesce(current_setting('app.tenant', true), 'none'))";
  pqxx::connection c, other;
  Neighbours neighbours;
  const std::string before = Value(other, settings);
  c.set_variable("work_mem", "'7777kB'");  // what the driver itself keeps for reconnections
  c.set_variable("timezone", "'Asia/Tokyo'");
  Run(c, "set app.tenant = 'blue'");
  {
    pqxx::work tx(c);
    tx.set_variable("work_mem", "'1MB'");
    tx.abort();
  }
  Moves moves;
  for (int turn = 0; turn < 12; ++turn) {
    neighbours.Shift();
    Equal(Value(c, settings), "7777kB|Asia/Tokyo|blue");
    moves.Note(c);
    Equal(Value(other, settings), before);
  }
  moves.Check();
  if (before.find("|none") == std::string::npos) throw std::logic_error("not its own: " + before);
}

void TemporaryTablesAndAdvisoryLocks() {
  pqxx::connection c, other;
  Run(c, "create temp table libpqxx_temp as select 'mine' as owner");
  Run(other, "create temp table libpqxx_temp as select 'theirs' as owner");
  Equal(Value(c, "select pg_try_advisory_lock(7)"), "t");
  for (int turn = 0; turn < 8; ++turn) {
    Equal(Value(c, "select owner from libpqxx_temp"), "mine");
    Equal(Value(other, "select owner from libpqxx_temp"), "theirs");
    Equal(Value(other, "select pg_try_advisory_lock(7)"), "f");
  }
  Equal(Value(c, "select pg_advisory_unlock(7)"), "t");
}

void OneTransaction(pqxx::connection_base& c, int number, int step) {
  pqxx::work tx(c);
  Equal(Value(tx, "select current_setting('app.tenant') || current_setting('work_mem')"),
        std::to_string(number) + std::to_string(1000 + number) + "kB");
  Equal(tx.exec_prepared1("mine", step)[0].as<int>(), step * number);
  if (step % 5 == 1 || step % 5 == 2) {
    tx.exec_params0("insert into libpqxx_ledger values ($1)", number);
  } else if (step % 5 == 3) {
    Fails("22012", [&] { tx.exec("select 1/0"); });
  } else if (step % 5 == 4) {
    tx.exec0("set local work_mem = '3MB'");
    Equal(Value(tx, "show work_mem"), "3MB");
  }
  if (step % 5 == 1) tx.commit();
}

void OneSession(int number) {
  pqxx::connection c;
  Run(c, "set app.tenant = '" + std::to_string(number) + "'");
  Run(c, "set work_mem = '" + std::to_string(1000 + number) + "kB'");
  c.prepare("mine", "select $1::int * " + std::to_string(number));
  for (int step = 0; step < kTransactions; ++step) OneTransaction(c, number, step);
  pqxx::work tx(c);
  Equal(tx.exec_params1("select count(*) from libpqxx_ledger where session = $1", number)[0]
            .as<int>(),
        10);
}

void TwentySessions() {
  {
    pqxx::connection c;
    Run(c, "drop table if exists libpqxx_ledger; create table libpqxx_ledger (session int)");
  }
  std::vector<std::thread> threads;
  std::vector<std::exception_ptr> errors(kSessions);
  for (int n = 0; n < kSessions; ++n) {
    threads.emplace_back([n, &error = errors[static_cast<size_t>(n)]] {
      try {
        OneSession(n);
      } catch (...) {
        error = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

const std::vector<std::pair<std::string, void (*)()>> kCases = {
    {"connects_by_scram_over_tls", ConnectsByScramOverTls},
    {"simple_and_parameters", SimpleAndParameters},
    {"prepared_across_transactions", PreparedAcrossTransactions},
    {"commit_rollback_and_savepoints", CommitRollbackAndSavepoints},
    {"isolation_levels", IsolationLevels},
    {"streams_in_and_out", StreamsInAndOut},
    {"cancel_of_a_running_statement", CancelOfARunningStatement},
    {"notifications_are_received", NotificationsAreReceived},
    {"pipelines", Pipelines},
    {"cursors", Cursors},
    {"large_result", LargeResult},
    {"settings_are_kept_and_never_met_by_others", SettingsAreKeptAndNeverMetByOthers},
    {"temporary_tables_and_advisory_locks", TemporaryTablesAndAdvisoryLocks},
    {"twenty_sessions", TwentySessions},
};

std::string OneLine(std::string text) {
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

int RunCase(const std::string& name, void (*body)()) {
  try {
    body();
  } catch (const std::exception& error) {
    std::cout << "FAILED " << name << ": " << OneLine(error.what()) << std::endl;
    return 1;
  }
  std::cout << "ok " << name << std::endl;
  return 0;
}

// In a process of its own: a case that hangs is ended by its alarm.
bool RunInChild(const std::string& name, void (*body)()) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(kCaseSeconds);
    _exit(RunCase(name, body));
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) {
    std::cout << "FAILED " << name << ": ended by signal " << WTERMSIG(status) << std::endl;
  }
  return status == 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> wanted(argv + 1, argv + argc);
  int failed = 0;
  for (const auto& [name, body] : kCases) {
    const bool asked =
        wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
    if (asked && !RunInChild(name, body)) failed = 1;
  }
  return failed;
}
