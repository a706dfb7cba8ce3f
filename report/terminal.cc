#include "report/terminal.h"

#include <algorithm>

#include "fmt/format.h"
#include "report/amounts.h"
#include "report/text.h"
#include "report/timestamp.h"
#include "report/totals.h"

namespace pgweir::report {
namespace {

constexpr int kBarWidth = 40;
constexpr size_t kMinOutline = 24;
constexpr size_t kDigestColumn = 16, kShardColumn = 24;

uint64_t RestOf(const TimeSplit& time) { return time.total - time.Known(); }

std::string_view TitleOf(Order order) {
  switch (order) {
    case Order::kTotal:
      return "total time";
    case Order::kP95:
      return "p95";
    case Order::kCalls:
      return "calls";
  }
  return "";
}

std::string Head(const Summary& summary, const Measures& all) {
  const auto quantile = [&all](double q) { return TimeText(all.durations.Quantile(q)); };
  std::string text = fmt::format("{} statements, {} to {} UTC\n", CountText(all.calls),
                                 FormatSecond(summary.first() / 1'000'000),
                                 FormatSecond(summary.last() / 1'000'000));
  text += fmt::format("total {}   p50 {}   p95 {}   p99 {}   errors {}   from the cache {}\n\n",
                      TimeText(static_cast<double>(all.time.total)), quantile(0.5), quantile(0.95),
                      quantile(0.99), CountText(all.errors), ShareText(all.cached, all.calls));
  return text;
}

std::string SplitLine(std::string_view name, uint64_t part, uint64_t whole) {
  const double share = whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  std::string bar;
  for (int i = 0; i < kBarWidth; ++i) bar += i < share * kBarWidth - 0.5 ? "█" : "░";
  return fmt::format("  {:<9}{} {:>7}  {:>9}\n", name, bar, ShareText(part, whole),
                     TimeText(static_cast<double>(part)));
}

std::string Split(const TimeSplit& time) {
  return "where the time went\n" + SplitLine("queue", time.queue, time.total) +
         SplitLine("server", time.server, time.total) +
         SplitLine("transfer", time.transfer, time.total) +
         SplitLine("client", time.client, time.total) +
         SplitLine("rest", RestOf(time), time.total) + "\n";
}

std::string MeasureHead() {
  return fmt::format("{:>9} {:>7} {:>10} {:>8} {:>8} {:>7} {:>7} {:>7} {:>7} {:>7}", "total",
                     "share", "calls", "mean", "p95", "queue", "server", "transf.", "client",
                     "errors");
}

std::string MeasureCells(const Measures& m, uint64_t whole) {
  const uint64_t total = m.time.total;
  return fmt::format("{:>9} {:>7} {:>10} {:>8} {:>8} {:>7} {:>7} {:>7} {:>7} {:>7}",
                     TimeText(static_cast<double>(total)), ShareText(total, whole),
                     CountText(m.calls),
                     TimeText(static_cast<double>(total) / static_cast<double>(m.calls)),
                     TimeText(m.durations.Quantile(0.95)), ShareText(m.time.queue, total),
                     ShareText(m.time.server, total), ShareText(m.time.transfer, total),
                     ShareText(m.time.client, total), CountText(m.errors));
}

std::string DigestTable(const Summary& summary, const Options& options, uint64_t whole,
                        size_t columns) {
  std::string text = fmt::format("digests by {}\n{}  {:<{}} statement\n", TitleOf(options.order),
                                 MeasureHead(), "digest", kDigestColumn);
  const size_t used = MeasureHead().size() + kDigestColumn + 3;
  const size_t room = std::max(columns > used ? columns - used : 0, kMinOutline);
  int left = options.top;
  for (const DigestTotal& total : DigestTotals(summary, options.order)) {
    if (left-- == 0) break;
    const Digest& digest = summary.digests().list()[total.digest];
    text += fmt::format("{}  {:<{}} {}\n", MeasureCells(total.measures, whole),
                        CutColumns(PrintableText(digest.id), kDigestColumn), kDigestColumn,
                        CutColumns(PrintableText(digest.outline), room - 1));
  }
  return text + "\n";
}

std::string ShardTable(const Summary& summary, uint64_t whole) {
  std::string text = fmt::format("shards\n{}  shard\n", MeasureHead());
  for (const ShardTotal& shard : ShardTotals(summary)) {
    const std::string name = shard.name.empty() ? "(none)" : PrintableText(shard.name);
    text += fmt::format("{}  {}\n", MeasureCells(shard.measures, whole),
                        CutColumns(name, kShardColumn));
  }
  return text + "\n";
}

std::string Lines(const Summary& summary) {
  const LineCounts& lines = summary.lines();
  std::string text = fmt::format("lines: {} statements", CountText(lines.statements));
  if (lines.plans > 0) text += fmt::format(", {} plans", CountText(lines.plans));
  if (lines.filtered > 0) text += fmt::format(", {} filtered out", CountText(lines.filtered));
  text += fmt::format(", {} not pgweir's, {} broken\n", CountText(lines.other),
                      CountText(lines.broken));
  for (const Fault& fault : summary.faults()) {
    text += fmt::format("  {}: {}\n", PrintableText(fault.where), PrintableText(fault.what));
  }
  if (lines.broken > summary.faults().size()) text += "  and so on\n";
  return text;
}

}  // namespace

std::string TerminalReport(const Summary& summary, const Options& options, size_t columns) {
  if (summary.lines().statements == 0) return Lines(summary);
  const Measures all = GrandTotal(summary);
  return Head(summary, all) + Split(all.time) +
         DigestTable(summary, options, all.time.total, columns) +
         ShardTable(summary, all.time.total) + Lines(summary);
}

}  // namespace pgweir::report
