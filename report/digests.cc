#include "report/digests.h"

#include <algorithm>
#include <numeric>

#include "report/text.h"

namespace pgweir::report {
namespace {

constexpr size_t kMaxId = 64;
constexpr size_t kMaxName = 128;
constexpr size_t kMaxOutline = 400;

std::string Cut(std::string_view text, size_t max_bytes) {
  const std::string_view cut = CutText(text, max_bytes);
  return cut.size() == text.size() ? std::string(text) : std::string(cut) + "…";
}

Sample SampleOf(const Statement& statement, uint32_t group, Place place) {
  return {.place = place,
          .at = statement.at,
          .group = group,
          .time = statement.time,
          .rows = statement.rows,
          .bytes = statement.bytes,
          .retries = statement.retries,
          .cached = statement.cached,
          .sql = Cut(statement.sql, Digests::kMaxSql),
          .parameters = Cut(statement.parameters, Digests::kMaxParameters),
          .application = Cut(statement.application, kMaxName),
          .remote_host = Cut(statement.remote_host, kMaxName),
          .role = Cut(statement.role, kMaxName),
          .traceparent = Cut(statement.traceparent, kMaxName),
          .sqlstate = Cut(statement.sqlstate, kMaxName),
          .error = Cut(statement.error, Digests::kMaxParameters)};
}

// Files come in any order.
void KeepPlan(Digest& digest, const Statement& statement) {
  const std::string_view plan = statement.plan;
  if (plan.empty() || statement.at < digest.plan_at) return;
  digest.plan_at = statement.at;
  digest.plan_left_out = plan.size() > Digests::kMaxPlan;
  digest.plan = digest.plan_left_out ? "" : std::string(plan);
}

}  // namespace

Digests::Digests() : list_(1) { list_[kOther].outline = "(all others)"; }

bool Digests::Full(std::string_view id) const {
  return list_.size() == kMaxDigests && !id.empty() &&
         numbers_.find(CutText(id, kMaxId)) == numbers_.end();
}

uint32_t Digests::NumberOf(std::string_view id) {
  id = CutText(id, kMaxId);
  if (id.empty()) return kOther;
  const auto known = numbers_.find(id);
  if (known != numbers_.end()) return known->second;
  const auto number = static_cast<uint32_t>(list_.size());
  list_.emplace_back().id = id;
  numbers_.emplace(id, number);
  return number;
}

void Digests::AddSample(Digest& digest, const Statement& statement, uint32_t group, Place place) {
  std::vector<Sample>& kept = digest.slowest;
  const uint64_t total = statement.time.total;
  if (kept.size() == kSamples && kept.back().time.total >= total) return;
  const auto slower =
      std::find_if(kept.begin(), kept.end(), [&](const Sample& s) { return s.time.total < total; });
  const bool slowest = slower == kept.begin();
  kept.insert(slower, SampleOf(statement, group, place));
  if (kept.size() > kSamples) kept.pop_back();
  if (slowest && !digest.id.empty()) digest.outline = OutlineOf(statement.sql, kMaxOutline);
}

uint32_t Digests::Add(const Statement& statement, uint32_t group, Place place) {
  const uint32_t number = NumberOf(statement.digest);
  Digest& digest = list_[number];
  digest.first = digest.calls == 0 ? statement.at : std::min(digest.first, statement.at);
  digest.last = std::max(digest.last, statement.at);
  ++digest.calls;
  digest.total += statement.time.total;
  AddSample(digest, statement, group, place);
  KeepPlan(digest, statement);
  return number;
}

void Digests::AddPlan(const Statement& plan) {
  if (!plan.digest.empty()) KeepPlan(list_[NumberOf(plan.digest)], plan);
}

std::vector<uint32_t> Digests::GiveUpLeast() {
  std::vector<uint32_t> order(list_.size() - 1);
  std::iota(order.begin(), order.end(), 1);
  const size_t least = (order.size() + 3) / 4;
  std::nth_element(order.begin(), order.begin() + static_cast<ptrdiff_t>(least), order.end(),
                   [&](uint32_t a, uint32_t b) { return list_[a].total < list_[b].total; });
  std::vector<bool> leaves(list_.size());
  for (size_t i = 0; i < least; ++i) leaves[order[i]] = true;
  given_up_ += least;

  std::vector<uint32_t> now(list_.size(), kOther);
  std::vector<Digest> kept;
  kept.reserve(list_.size());
  kept.push_back(std::move(list_[kOther]));
  numbers_.clear();
  for (uint32_t number = 1; number < list_.size(); ++number) {
    if (leaves[number]) {
      kept[kOther].calls += list_[number].calls;
      kept[kOther].total += list_[number].total;
      continue;
    }
    now[number] = static_cast<uint32_t>(kept.size());
    numbers_.emplace(list_[number].id, now[number]);
    kept.push_back(std::move(list_[number]));
  }
  list_ = std::move(kept);
  return now;
}

}  // namespace pgweir::report
