#include "bench/users_result.h"

#include <sys/resource.h>

#include <fstream>
#include <numeric>

#include "fmt/format.h"

namespace pgweir::bench {
namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double OwnCpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

template <typename Items>
bool WriteLines(const std::string& path, const Items& items) {
  std::ofstream file(path);
  for (const auto& item : items) file << item << '\n';
  file.close();
  return !file.fail();
}

}  // namespace

uint64_t UsersResult::errors() const {
  return std::accumulate(failures.begin(), failures.end(), uint64_t{0});
}

void UsersResult::Count(Failure failure, const std::string& error) {
  ++failures[static_cast<size_t>(failure)];
  if (first_error.empty()) first_error = error;
}

std::string MachineLine(const UsersResult& r) {
  const auto done = static_cast<double>(r.latencies_us.size());
  return fmt::format(
      "users due={} done={} pool_timeout={} refused={} failed={} unanswered={} confirmed={} "
      "served_ms={:.3f} most_open={} most_waiting={} cpu_s={:.2f} first_error={}",
      r.due, r.latencies_us.size(), r.failures[0], r.failures[1], r.failures[2], r.failures[3],
      r.confirmed.size(), done == 0 ? 0.0 : r.served.count() * 1000 / done, r.most_open,
      r.most_waiting, OwnCpuSeconds(), r.first_error);
}

std::string ProgressLine(const UsersResult& r, std::chrono::duration<double> at) {
  return fmt::format("progress second={:.0f} due={} done={} errors={}", at.count(), r.due,
                     r.latencies_us.size(), r.errors());
}

bool WriteConfirmed(const std::string& path, const UsersResult& result) {
  return WriteLines(path, result.confirmed);
}

bool WriteLatencies(const std::string& path, const UsersResult& result) {
  return WriteLines(path, result.latencies_us);
}

}  // namespace pgweir::bench
