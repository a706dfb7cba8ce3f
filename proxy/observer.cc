#include "proxy/observer.h"

#include "observe/secrets.h"
#include "proxy/bound_parameters.h"
#include "router/text_hash.h"
#include "router/traceparent.h"

namespace pgweir::proxy {
namespace {

// So often the system's clock is looked at, which may be set meanwhile.
constexpr std::chrono::milliseconds kLookAtClock{100};
constexpr std::string_view kTraceparentSetting = "pgweir.traceparent";

}  // namespace

void Observer::Use(std::shared_ptr<const config::SlowLog> options) {
  options_ = std::move(options);
  policy_ = observe::SlowLogPolicy(*options_);
}

observe::WallTime Observer::WallTimeOf(TimePoint time) {
  if (time - known_at_ > kLookAtClock || time < known_at_) {
    known_at_ = time;
    known_time_ = std::chrono::system_clock::now();
  }
  return known_time_ + std::chrono::duration_cast<observe::WallTime::duration>(time - known_at_);
}

uint64_t Observer::DigestOf(std::string_view text, const Details& details) {
  if (details.facts != nullptr) return details.facts->digest;
  if (text.empty()) return 0;
  if (details.cut) return router::HashText(DigestTextOf(text, details));
  return statements_.Find(text, details.settings.standard_strings())->digest;
}

std::string_view Observer::DigestTextOf(std::string_view text, const Details& details) {
  scan_.Scan(text, details.settings.standard_strings());
  return digest_text_.Make(scan_);
}

void Observer::Take(observe::StatementRecord& record, const Details& details) {
  record.finished = WallTimeOf(details.now);
  record.digest = DigestOf(record.text, details);
  all.Add(record);
  if (digests.Record(record)) {
    record.digest_text = DigestTextOf(record.text, details);
    digests.Describe(record);
  }
  if (!details.symbol.empty() && record.nodes.size() == 1 && !record.from_cache()) {
    symbols.Record(record.nodes[0], details.symbol, record.rows, record.times.total_us);
  }
  if (policy_.Wants(record, static_cast<uint32_t>(random_() << 1))) Log(record, details);
}

void Observer::Log(observe::StatementRecord& record, const Details& details) {
  record.digest_text = DigestTextOf(record.text, details);
  record.traceparent = router::TraceparentOf(record.text, scan_);
  if (record.traceparent.empty()) {
    const std::string* const set = details.settings.FindUnreported(kTraceparentSetting);
    if (set != nullptr && router::IsTraceparent(*set)) record.traceparent = *set;
  }
  parameters_.clear();
  // Of a text that isn't known as a whole nobody can tell whether they are secrets.
  if (!details.cut && !record.text.empty()) {
    for (const router::BoundParameter& bound : ReadParameters(details.values, details.types)) {
      parameters_.push_back({bound.null, bound.binary, bound.type, bound.bytes});
    }
  }
  record.parameters = parameters_;
  observe::ClientFacts client = *record.client;
  const std::string* const name = details.settings.Find("application_name");
  if (name != nullptr) client.application_name = *name;
  record.client = &client;
  const bool hides =
      options_->redact == config::Redact::kLiterals || observe::MayHoldSecret(record.text);
  slow.Add(record, hides ? record.digest_text : record.text);
  if (!options_->path.empty()) {
    log_.Submit(line_.Write(record, {.redact = options_->redact,
                                     .parameter_max_length = options_->parameter_max_length,
                                     .statement_max_length = options_->statement_max_length}),
                details.now);
  }
}

}  // namespace pgweir::proxy
