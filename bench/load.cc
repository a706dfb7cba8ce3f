// pgweir_load: the market workload of scripts/demo, by many clients at once.

#include <getopt.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <thread>

#include "bench/load_client.h"
#include "bench/load_report.h"
#include "bench/usage.h"
#include "fmt/format.h"

namespace pgweir::bench {
namespace {

using Clock = std::chrono::steady_clock;

// How long the last operations may take once time is up.
constexpr std::chrono::seconds kGrace{20};

constexpr std::string_view kUsage =
    R"(usage: pgweir_load --conninfo STRING [option...]

Runs the market workload: clients that each keep one connection, read the newest trades or a range
of candles of a symbol (popular symbols far more often), and write trades, each in a transaction.
A client that can't connect or loses its connection tries again. Prints one line of key=value for
scripts and a table; exits 0 however many errors it counted.

  --conninfo STRING    libpq connection string of a database with the demo's tables
  --clients N          clients at once (200)
  --seconds N          how long (10)
  --writes PERCENT     share of operations that write (20)
  --newest             read the newest candles only, as dashboards do
  --symbols REGEX      only instruments whose symbol matches, by PostgreSQL's ~ (all)
  --think MS           mean pause of a client between operations (0)
  --retry-pause MS     mean pause before a refused client tries again (500)
  --run NAME           what the client_order_id of every written trade starts with (load)
  --confirmed FILE     write the client_order_ids of confirmed writes there, one a line
  --seed N             of the random choices (1)
  --help
)";

LoadOptions ParseOptions(int argc, char** argv) {
  static constexpr option kOptions[] = {{"conninfo", required_argument, nullptr, 0},
                                        {"clients", required_argument, nullptr, 0},
                                        {"seconds", required_argument, nullptr, 0},
                                        {"writes", required_argument, nullptr, 0},
                                        {"newest", no_argument, nullptr, 0},
                                        {"symbols", required_argument, nullptr, 0},
                                        {"think", required_argument, nullptr, 0},
                                        {"retry-pause", required_argument, nullptr, 0},
                                        {"run", required_argument, nullptr, 0},
                                        {"confirmed", required_argument, nullptr, 0},
                                        {"seed", required_argument, nullptr, 0},
                                        {"help", no_argument, nullptr, 0},
                                        {nullptr, 0, nullptr, 0}};
  LoadOptions options;
  ForEachOption(argc, argv, kOptions, kUsage, [&](std::string_view name, std::string_view value) {
    if (name == "conninfo") options.conninfo = value;
    if (name == "clients") options.clients = Number(name, value, 1, 10'000);
    if (name == "seconds") options.duration = std::chrono::seconds(Number(name, value, 1, 86'400));
    if (name == "writes") options.write_percent = Number(name, value, 0, 100);
    if (name == "newest") options.newest = true;
    if (name == "symbols") options.symbols = value;
    if (name == "think") options.think = std::chrono::milliseconds(Number(name, value, 0, 60'000));
    if (name == "retry-pause") {
      options.retry_pause = std::chrono::milliseconds(Number(name, value, 1, 60'000));
    }
    if (name == "run") options.run = value;
    if (name == "confirmed") options.confirmed_file = value;
    if (name == "seed") options.seed = static_cast<uint64_t>(Number(name, value, 0, 1'000'000));
  });
  if (options.conninfo.empty()) FailUsage("--conninfo is missing");
  return options;
}

// Ends the process when clients hang beyond the end: their threads can't be joined then.
std::vector<ClientResult> RunClients(const LoadOptions& options,
                                     const std::vector<Instrument>& instruments) {
  std::vector<ClientResult> results(static_cast<size_t>(options.clients));
  const Clock::time_point stop_at = Clock::now() + options.duration;
  std::atomic<int> running = options.clients;
  std::vector<std::thread> threads;
  for (int i = 0; i < options.clients; ++i) {
    threads.emplace_back([&, i] {
      results[static_cast<size_t>(i)] = RunClient(options, instruments, i, stop_at);
      running.fetch_sub(1);
    });
  }
  while (running.load() > 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (Clock::now() < stop_at + kGrace) continue;
    fmt::print(stderr, "pgweir_load: {} clients hang in an operation\n", running.load());
    std::_Exit(3);
  }
  for (std::thread& thread : threads) thread.join();
  return results;
}

bool WriteConfirmed(const std::string& path, const std::vector<ClientResult>& results) {
  std::ofstream file(path);
  for (const ClientResult& result : results) {
    for (const std::string& id : result.confirmed) file << id << '\n';
  }
  file.close();
  return !file.fail();
}

int Main(int argc, char** argv) {
  const LoadOptions options = ParseOptions(argc, argv);
  const std::vector<Instrument> instruments = ReadInstruments(options.conninfo, options.symbols);
  if (instruments.empty()) return 1;

  const auto start = Clock::now();
  const std::vector<ClientResult> results = RunClients(options, instruments);
  const LoadReport report = Summarize(results, Clock::now() - start);
  fmt::print("{}\n{}", MachineLine(report), HumanTable(report));

  if (options.confirmed_file.empty() || WriteConfirmed(options.confirmed_file, results)) return 0;
  fmt::print(stderr, "pgweir_load: can't write {}\n", options.confirmed_file);
  return 1;
}

}  // namespace
}  // namespace pgweir::bench

int main(int argc, char** argv) { return pgweir::bench::Main(argc, argv); }
