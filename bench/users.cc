// pgweir_users: an application and its users, for bench/breaking-point.

#include <getopt.h>
#include <sys/resource.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "bench/usage.h"
#include "bench/users_driver.h"
#include "fmt/format.h"

namespace pgweir::bench {
namespace {

constexpr std::string_view kUsage =
    R"(usage: pgweir_users --conninfo STRING (--rate N | --users N) [option...]

Requests to an application that keeps a connection pool as SQLAlchemy's: each checks a connection
out, reads the newest trades of a popular symbol in one transaction, works, writes a trade in a
second one and gives the connection back. They are due at times that do not depend on the answers;
latencies are from then to the end, less the work. Prints a line of progress each second and one of
key=value at the end; exits 0 however many errors it counted.

  --conninfo STRING    libpq connection string of a database with the demo's tables
  --rate N             requests a second, at random times
  --users N            users who each pause between their requests
  --pause MIN:MAX      so many ms, drawn evenly (1000:3000)
  --ramp S             the users come one by one over so many seconds (0)
  --seconds N          for how long requests become due (10)
  --work MS            what the application does between its two transactions (0)
  --pool SIZE:OVERFLOW:TIMEOUT   of the application's connections; the time-out in ms (10:20:5000)
  --grace S            what is not answered so long after the last one is due is given up (10)
  --part I/N           this process is the I-th of N that share the users and the pool (1/1)
  --run NAME           what the client_order_id of every written trade starts with (users)
  --confirmed FILE     write the client_order_ids of confirmed trades there, one a line
  --latencies FILE     and the latencies in microseconds, likewise
  --seed N             of the random choices (1)
  --help
)";

struct Command {
  UsersOptions users;
  int part = 1, parts = 1;
  std::string confirmed_file;  // "" = none
  std::string latencies_file;
};

// The numbers in a text of as many, such as "10:20:5000".
template <size_t N>
std::array<int, N> Numbers(std::string_view name, std::string_view text) {
  std::array<int, N> numbers{};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (size_t i = 0; i < N; ++i) {
    const auto [stop, error] = std::from_chars(at, end, numbers.at(i));
    const bool last = i + 1 == N;
    if (error != std::errc() || numbers.at(i) < 0 || last != (stop == end)) {
      FailUsage(fmt::format("--{} does not take \"{}\"", name, text));
    }
    at = last ? stop : stop + 1;
  }
  return numbers;
}

int Number(std::string_view name, std::string_view text) { return Numbers<1>(name, text)[0]; }

// False when there is no such option.
bool ParseSchedule(std::string_view name, std::string_view value, ScheduleOptions& schedule) {
  using std::chrono::milliseconds;
  if (name == "rate") {
    schedule.rate = Number(name, value);
  } else if (name == "users") {
    schedule.users = Number(name, value);
  } else if (name == "pause") {
    const auto [low, high] = Numbers<2>(name, value);
    schedule.pause_min = milliseconds(low);
    schedule.pause_max = milliseconds(high);
  } else if (name == "ramp") {
    schedule.ramp = std::chrono::seconds(Number(name, value));
  } else if (name == "seconds") {
    schedule.duration = std::chrono::seconds(Number(name, value));
  } else if (name == "work") {
    schedule.work = milliseconds(Number(name, value));
  } else {
    return false;
  }
  return true;
}

void ParseOption(std::string_view name, std::string_view value, Command& command) {
  UsersOptions& users = command.users;
  if (ParseSchedule(name, value, users.schedule)) return;
  if (name == "conninfo") users.conninfo = value;
  if (name == "grace") users.grace = std::chrono::seconds(Number(name, value));
  if (name == "run") users.run = value;
  if (name == "confirmed") command.confirmed_file = value;
  if (name == "latencies") command.latencies_file = value;
  if (name == "seed") users.seed = static_cast<uint64_t>(Number(name, value));
  if (name == "pool") {
    const auto [size, overflow, timeout] = Numbers<3>(name, value);
    users.pool_size = size;
    users.overflow = overflow;
    users.pool_timeout = std::chrono::milliseconds(timeout);
  }
  if (name == "part") {
    const auto [part, parts] = Numbers<2>(name, value);
    if (part < 1 || part > parts) FailUsage("--part takes I/N with I from 1 to N");
    command.part = part;
    command.parts = parts;
  }
}

int ShareOf(int whole, const Command& command) {
  return whole / command.parts + (command.part <= whole % command.parts ? 1 : 0);
}

void TakeShare(Command& command) {
  UsersOptions& users = command.users;
  users.schedule.rate /= command.parts;
  users.schedule.users = ShareOf(users.schedule.users, command);
  users.pool_size = ShareOf(users.pool_size, command);
  users.overflow = ShareOf(users.overflow, command);
  users.run += fmt::format("-{}", command.part);
  users.seed = users.seed * 1000 + static_cast<uint64_t>(command.part);
}

Command ParseCommand(int argc, char** argv) {
  static constexpr option kOptions[] = {{"conninfo", required_argument, nullptr, 0},
                                        {"rate", required_argument, nullptr, 0},
                                        {"users", required_argument, nullptr, 0},
                                        {"pause", required_argument, nullptr, 0},
                                        {"ramp", required_argument, nullptr, 0},
                                        {"seconds", required_argument, nullptr, 0},
                                        {"work", required_argument, nullptr, 0},
                                        {"pool", required_argument, nullptr, 0},
                                        {"grace", required_argument, nullptr, 0},
                                        {"part", required_argument, nullptr, 0},
                                        {"run", required_argument, nullptr, 0},
                                        {"confirmed", required_argument, nullptr, 0},
                                        {"latencies", required_argument, nullptr, 0},
                                        {"seed", required_argument, nullptr, 0},
                                        {"help", no_argument, nullptr, 0},
                                        {nullptr, 0, nullptr, 0}};
  Command command;
  ForEachOption(argc, argv, kOptions, kUsage, [&](std::string_view name, std::string_view value) {
    ParseOption(name, value, command);
  });
  if (command.users.conninfo.empty()) FailUsage("--conninfo is missing");
  const ScheduleOptions& schedule = command.users.schedule;
  if ((schedule.rate > 0) == (schedule.users > 0)) FailUsage("one of --rate and --users");
  TakeShare(command);
  return command;
}

// As many connections as the system allows.
void RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

bool WriteFiles(const Command& command, const UsersResult& result) {
  const auto& [users, part, parts, confirmed, latencies] = command;
  if (!confirmed.empty() && !WriteConfirmed(confirmed, result)) return false;
  return latencies.empty() || WriteLatencies(latencies, result);
}

int Main(int argc, char** argv) {
  const Command command = ParseCommand(argc, argv);
  RaiseFileLimit();
  const std::vector<Instrument> instruments = ReadInstruments(command.users.conninfo, "");
  if (instruments.empty()) return 1;

  const UsersResult result = UsersDriver(command.users, instruments).Run();
  fmt::print("{}\n", MachineLine(result));
  if (WriteFiles(command, result)) return 0;
  fmt::print(stderr, "pgweir_users: can't write its files\n");
  return 1;
}

}  // namespace
}  // namespace pgweir::bench

int main(int argc, char** argv) { return pgweir::bench::Main(argc, argv); }
