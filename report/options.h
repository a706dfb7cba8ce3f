#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "report/summary.h"

namespace pgweir::report {

enum class Order { kTotal, kP95, kCalls };

struct Options {
  std::vector<std::string> files;
  std::string html;  // "" = no page
  Order order = Order::kTotal;
  int top = 20;
  Filter filter;
  bool help = false;
};

inline constexpr std::string_view kUsage = R"(pgweir report: where the time of slow statements went

  pgweir report [OPTION]... FILE...

FILEs are slow-query logs of pgweir, as they are or packed by gzip, in any order; - is the standard
input. A table goes to the standard output.

  --html OUT.html      also write one page with charts, samples, parameters and plans; it needs
                       nothing but a browser
  --sort total|p95|calls
                       which digests come first in the table (total)
  --top N              so many digests in the table (20)
  --database NAME, --user NAME, --shard NODE
                       only statements of these
  --from TIME, --to TIME
                       only statements that ended in this time, such as "2026-11-21 10:00", in UTC
                       unless it says "+02" or the like

Lines that are PostgreSQL's own are passed over, broken ones are reported; both are counted. Exits
with 1 when a file can't be read or no statement was found.

A statement's time is split in five: queue (waited for a backend), server (until its first byte),
transfer (from there to the last byte), client (of that, blocked on a client that did not read) and
the rest, which is pgweir's own.
)";

// What stands behind `pgweir report`.
StatusOr<Options> ParseOptions(const std::vector<std::string_view>& arguments);

}  // namespace pgweir::report
