// pgweir_logins: a storm of logins, by clients that hold the SCRAM keys of their password as
// drivers that cache them do; or many clients that log in, ask once and stay.

#include <getopt.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/login_client.h"
#include "bench/usage.h"
#include "fmt/format.h"
#include "wire/scram.h"

namespace pgweir::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kUsage =
    R"(usage: pgweir_logins --port PORT [option...]

Logs in to 127.0.0.1:PORT over and over, each client as soon as it has left, and prints how many
logins there were and how many a second. Exits 1 when one fails.

  --clients N        at once, a thread each (16)
  --seconds N        how long (3)
  --keep N           instead: so many clients log in, ask "SELECT 1" and stay; prints "ready" once
                     they have, and ends with standard input
  --user NAME        (postgres)
  --database NAME    (postgres)
  --password TEXT    for SCRAM, with the verifier; without, the server has to trust
  --verifier TEXT    as pg_authid has it: the keys are derived once, before the start
  --tls              encrypted, each with a handshake of its own
  --help
)";

struct Options {
  LoginOptions login;
  int clients = 16;
  int keep = 0;
  std::chrono::seconds duration{3};
};

wire::ScramLoginRef Keys(const std::string& verifier, const std::string& password) {
  auto parsed = wire::ParseScramVerifier(verifier);
  if (!parsed.ok()) FailUsage("--verifier is none of SCRAM's");
  const wire::ScramKey key = wire::MakeScramClientKey(password, parsed->salt, parsed->iterations);
  return std::make_shared<const wire::ScramLogin>(*parsed, key);
}

Options ParseOptions(int argc, char** argv) {
  static constexpr option kOptions[] = {{"port", required_argument, nullptr, 0},
                                        {"clients", required_argument, nullptr, 0},
                                        {"seconds", required_argument, nullptr, 0},
                                        {"keep", required_argument, nullptr, 0},
                                        {"user", required_argument, nullptr, 0},
                                        {"database", required_argument, nullptr, 0},
                                        {"password", required_argument, nullptr, 0},
                                        {"verifier", required_argument, nullptr, 0},
                                        {"tls", no_argument, nullptr, 0},
                                        {"help", no_argument, nullptr, 0},
                                        {nullptr, 0, nullptr, 0}};
  Options options;
  std::string password, verifier;
  ForEachOption(argc, argv, kOptions, kUsage, [&](std::string_view name, std::string_view value) {
    if (name == "port") options.login.port = static_cast<uint16_t>(Number(name, value, 1, 65535));
    if (name == "clients") options.clients = Number(name, value, 1, 1000);
    if (name == "seconds") options.duration = std::chrono::seconds(Number(name, value, 1, 3600));
    if (name == "keep") options.keep = Number(name, value, 1, 1'000'000);
    if (name == "user") options.login.user = value;
    if (name == "database") options.login.database = value;
    if (name == "password") password = value;
    if (name == "verifier") verifier = value;
    if (name == "tls") options.login.encrypted = SSL_CTX_new(TLS_client_method());
  });
  if (options.login.port == 0) FailUsage("--port is missing");
  if (!verifier.empty()) options.login.keys = Keys(verifier, password);
  return options;
}

[[noreturn]] void Fail(const Status& status) {
  static std::mutex once;
  once.lock();
  fmt::print(stderr, "pgweir_logins: {}\n", MessageOf(status));
  std::_Exit(1);
}

std::unique_ptr<LoginClient> LogIn(const LoginOptions& options) {
  auto client = LoginClient::LogIn(options);
  if (!client.ok()) Fail(client.status());
  return *std::move(client);
}

template <typename Work>
void InThreads(int count, Work work) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(work, i);
}

void Storm(const Options& options) {
  std::atomic<int64_t> logins = 0;
  const auto start = Clock::now();
  InThreads(options.clients, [&](int) {
    while (Clock::now() < start + options.duration) {
      LogIn(options.login)->Leave();
      ++logins;
    }
  });
  const std::chrono::duration<double> took = Clock::now() - start;
  fmt::print("{} {:.1f}\n", logins.load(), static_cast<double>(logins) / took.count());
}

void Stay(const Options& options) {
  std::vector<std::unique_ptr<LoginClient>> clients(static_cast<size_t>(options.keep));
  InThreads(options.clients, [&](int first) {
    for (size_t i = static_cast<size_t>(first); i < clients.size();
         i += static_cast<size_t>(options.clients)) {
      clients[i] = LogIn(options.login);
      if (const Status status = clients[i]->Ask("SELECT 1"); !status.ok()) Fail(status);
    }
  });
  fmt::print("ready\n");
  std::fflush(stdout);
  char ignored = 0;
  while (read(STDIN_FILENO, &ignored, 1) > 0) {
  }
}

}  // namespace
}  // namespace pgweir::bench

int main(int argc, char** argv) {
  const pgweir::bench::Options options = pgweir::bench::ParseOptions(argc, argv);
  if (options.keep > 0) {
    pgweir::bench::Stay(options);
  } else {
    pgweir::bench::Storm(options);
  }
}
