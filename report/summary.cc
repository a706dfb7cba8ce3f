#include "report/summary.h"

#include <algorithm>

namespace pgweir::report {
namespace {

// With fewer slots than these a digest has no course over time any more.
constexpr int kFewSlots = 12;

bool Has(const Statement& statement, std::string_view shard) {
  return std::find(statement.shards.begin(), statement.shards.end(), shard) !=
         statement.shards.end();
}

}  // namespace

bool Filter::Passes(const Statement& statement) const {
  if (statement.at < from || statement.at >= until) return false;
  if (!database.empty() && statement.database != database) return false;
  if (!user.empty() && statement.user != user) return false;
  return shard.empty() || Has(statement, shard);
}

Summary::Summary(Filter filter) : filter_(std::move(filter)) {}

void Summary::GiveUpDigests() {
  const std::vector<uint32_t> now = digests_.GiveUpLeast();
  by_digest_.Rename(
      [&now](TimeCube::Series series) { return SeriesOf(now[DigestOf(series)], GroupOf(series)); });
}

void Summary::BoundCells() {
  while (by_digest_.cells() > kMaxDigestCells) {
    if (by_digest_.slots() > kFewSlots) {
      by_digest_.Coarsen();
    } else {
      GiveUpDigests();
    }
  }
}

void Summary::Add(const Statement& statement, Place place) {
  if (!filter_.Passes(statement)) {
    ++lines_.filtered;
    return;
  }
  ++lines_.statements;
  first_ = std::min(first_, statement.at);
  last_ = std::max(last_, statement.at);
  if (digests_.Full(statement.digest)) GiveUpDigests();
  const uint32_t group = groups_.NumberOf(statement);
  const uint32_t digest = digests_.Add(statement, group, place);
  traffic_.Add(group, statement);
  by_digest_.Add(SeriesOf(digest, group), statement);
  BoundCells();
}

void Summary::AddPlan(const Statement& plan) {
  if (!filter_.Passes(plan)) {
    ++lines_.filtered;
    return;
  }
  ++lines_.plans;
  if (digests_.Full(plan.digest)) GiveUpDigests();
  digests_.AddPlan(plan);
}

void Summary::AddFault(std::string where, std::string what) {
  ++lines_.broken;
  AddFileFault(std::move(where), std::move(what));
}

void Summary::AddFileFault(std::string where, std::string what) {
  if (faults_.size() < kMaxFaults) faults_.push_back({std::move(where), std::move(what)});
}

}  // namespace pgweir::report
