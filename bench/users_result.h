#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace pgweir::bench {

enum class Failure {
  kPoolTimeout,  // of the application's pool
  kRefused,      // a connection was not to be had
  kFailed,       // a transaction ended in an error
  kUnanswered,   // under way when the driver gave up
};

// What has become of one driver's requests.
struct UsersResult {
  uint64_t due = 0;
  std::vector<uint32_t> latencies_us;  // of the requests that were done, without the work
  std::vector<uint64_t> failures = std::vector<uint64_t>(4);
  std::vector<std::string> confirmed;       // client_order_ids whose COMMIT was answered
  std::chrono::duration<double> served{0};  // connections in hand for those done, without the work
  std::string first_error;
  int most_open = 0;
  size_t most_waiting = 0;

  uint64_t errors() const;
  void Count(Failure failure, const std::string& error);
};

// key=value pairs on one line, for scripts.
std::string MachineLine(const UsersResult& result);
std::string ProgressLine(const UsersResult& result, std::chrono::duration<double> at);

// Both write one item a line; false when that fails.
bool WriteConfirmed(const std::string& path, const UsersResult& result);
bool WriteLatencies(const std::string& path, const UsersResult& result);

}  // namespace pgweir::bench
