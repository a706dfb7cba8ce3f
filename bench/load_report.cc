#include "bench/load_report.h"

#include <algorithm>
#include <cmath>

#include "fmt/format.h"

namespace pgweir::bench {
namespace {

// Nearest rank, of sorted values.
double Percentile(const std::vector<uint32_t>& sorted_us, double share) {
  if (sorted_us.empty()) return 0;
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(sorted_us.size())));
  return sorted_us[std::max<size_t>(rank, 1) - 1] / 1000.0;
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

LoadReport Summarize(const std::vector<ClientResult>& results, std::chrono::duration<double> took) {
  LoadReport report;
  report.clients = static_cast<int>(results.size());
  report.seconds = took.count();
  std::vector<uint32_t> latencies;
  for (const ClientResult& result : results) {
    if (!result.latencies_us.empty()) ++report.served;
    latencies.insert(latencies.end(), result.latencies_us.begin(), result.latencies_us.end());
    report.reads += result.reads;
    report.confirmed_writes += result.confirmed.size();
    report.refused += result.refused;
    report.failed += result.failed;
    if (report.first_error.empty()) report.first_error = FirstLine(result.first_error);
  }
  std::sort(latencies.begin(), latencies.end());
  report.operations = latencies.size();
  report.p50_ms = Percentile(latencies, 0.50);
  report.p95_ms = Percentile(latencies, 0.95);
  report.p99_ms = Percentile(latencies, 0.99);
  report.max_ms = Percentile(latencies, 1.0);
  return report;
}

std::string MachineLine(const LoadReport& r) {
  return fmt::format(
      "load clients={} served={} seconds={:.2f} operations={} reads={} writes={} refused={} "
      "failed={} per_second={:.0f} p50_ms={:.2f} p95_ms={:.2f} p99_ms={:.2f} max_ms={:.2f}",
      r.clients, r.served, r.seconds, r.operations, r.reads, r.confirmed_writes, r.refused,
      r.failed, static_cast<double>(r.operations) / r.seconds, r.p50_ms, r.p95_ms, r.p99_ms,
      r.max_ms);
}

std::string HumanTable(const LoadReport& r) {
  std::string table = fmt::format(
      "clients served       {} of {}\n"
      "operations           {} ({} reads, {} confirmed writes)\n"
      "throughput           {:.0f} /s\n"
      "connections refused  {}\n"
      "operations failed    {}\n"
      "latency              p50 {:.2f} ms, p95 {:.2f} ms, p99 {:.2f} ms, longest {:.2f} ms\n",
      r.served, r.clients, r.operations, r.reads, r.confirmed_writes,
      static_cast<double>(r.operations) / r.seconds, r.refused, r.failed, r.p50_ms, r.p95_ms,
      r.p99_ms, r.max_ms);
  if (!r.first_error.empty()) table += fmt::format("first error          {}\n", r.first_error);
  return table;
}

}  // namespace pgweir::bench
