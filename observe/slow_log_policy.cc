#include "observe/slow_log_policy.h"

#include <algorithm>
#include <chrono>

#include "observe/sampling.h"

namespace pgweir::observe {
namespace {

uint64_t Micros(config::milliseconds time) {
  return static_cast<uint64_t>(std::chrono::microseconds(time).count());
}

bool Fits(std::string_view wanted, std::string_view name) {
  return wanted.empty() || wanted == name;
}

}  // namespace

SlowLogPolicy::SlowLogPolicy(const config::SlowLog& options)
    : options_(&options), least_us_(Micros(options.threshold)), samples_(options.sample > 0) {
  for (const config::SlowLogRule& rule : options.rules) {
    least_us_ = std::min(least_us_, Micros(rule.threshold.value_or(options.threshold)));
    samples_ = samples_ || rule.sample.value_or(0) > 0;
  }
}

bool SlowLogPolicy::Wants(const StatementRecord& record, uint32_t random) const {
  if (record.failed() && options_->errors) return true;
  if (record.times.total_us < least_us_ && !samples_) return false;
  const config::SlowLogRule* rule = options_->rules.empty() ? nullptr : RuleFor(record);
  const auto threshold =
      rule == nullptr ? options_->threshold : rule->threshold.value_or(options_->threshold);
  if (record.times.total_us >= Micros(threshold)) return true;
  return IsDrawn(rule == nullptr ? options_->sample : rule->sample.value_or(options_->sample),
                 random);
}

bool SlowLogPolicy::IsSlow(const StatementRecord& record) const {
  const config::SlowLogRule* const rule = RuleFor(record);
  const auto own = rule == nullptr ? std::nullopt : rule->threshold;
  return record.times.total_us >= Micros(own.value_or(options_->threshold));
}

const config::SlowLogRule* SlowLogPolicy::RuleFor(const StatementRecord& record) const {
  for (const config::SlowLogRule& rule : options_->rules) {
    if (Fits(rule.database, record.client->database) && Fits(rule.user, record.client->user) &&
        (!rule.digest.has_value() || *rule.digest == record.digest)) {
      return &rule;
    }
  }
  return nullptr;
}

}  // namespace pgweir::observe
