#include "proxy/observer.h"

#include "observe/sampling.h"
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

void Observer::Use(std::shared_ptr<const config::Config> config) {
  config_ = std::move(config);
  policy_ = observe::SlowLogPolicy(config_->slow_log);
  plans_.Use({config_, &config_->slow_log});
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
  const bool logged = policy_.Wants(record, Draw());
  const bool may_be_traced = config_->traces.otlp.has_value();
  if (!logged && !may_be_traced) return;
  record.traceparent = TraceparentOf(record.text, details.settings);
  const bool traced = may_be_traced && IsTraced(record);
  if (!logged && !traced) return;
  record.digest_text = DigestTextOf(record.text, details);
  observe::ClientFacts client = *record.client;
  details.client.AddAddress(client);
  const std::string* const name = details.settings.Find("application_name");
  if (name != nullptr) client.application_name = *name;
  record.client = &client;
  if (traced) spans_.Submit(span_lines_.Write(record));
  if (logged) Log(record, details);
}

// By whoever began the trace, else by chance.
bool Observer::IsTraced(const observe::StatementRecord& record) {
  if (!record.traceparent.empty()) return observe::IsSampled(record.traceparent);
  return observe::IsDrawn(config_->traces.sample, Draw());
}

std::string_view Observer::TraceparentOf(std::string_view text, const wire::Parameters& settings) {
  if (router::MayHaveTraceparent(text)) {
    scan_.Scan(text, settings.standard_strings());
    const std::string_view found = router::TraceparentOf(text, scan_);
    if (!found.empty()) return found;
  }
  const std::string* const set = settings.FindUnreported(kTraceparentSetting);
  return set != nullptr && router::IsTraceparent(*set) ? *set : std::string_view();
}

void Observer::Log(observe::StatementRecord& record, const Details& details) {
  parameters_.clear();
  // Of a text that isn't known as a whole nobody can tell whether they are secrets.
  if (!details.cut && !record.text.empty()) {
    for (const router::BoundParameter& bound : ReadParameters(details.values, details.types)) {
      parameters_.push_back({bound.null, bound.binary, bound.type, bound.bytes});
    }
  }
  record.parameters = parameters_;
  const config::SlowLog& options = config_->slow_log;
  const bool hides =
      options.redact == config::Redact::kLiterals || observe::MayHoldSecret(record.text);
  slow.Add(record, hides ? record.digest_text : record.text);
  if (!options.path.empty()) {
    log_.Submit(line_.Write(record, {.redact = options.redact,
                                     .parameter_max_length = options.parameter_max_length,
                                     .statement_max_length = options.statement_max_length}),
                details.now);
  }
  if (plans_.wanted() && policy_.IsSlow(record)) ConsiderPlan(record, details);
}

void Observer::ConsiderPlan(const observe::StatementRecord& record, const Details& details) {
  if (details.cut || record.text.empty()) return;
  const router::FactsRef found =
      details.facts != nullptr ? nullptr
                               : statements_.Find(record.text, details.settings.standard_strings());
  plans_.Consider({.record = record,
                   .facts = details.facts != nullptr ? *details.facts : *found,
                   .types = details.types,
                   .values = details.values,
                   .now = details.now},
                  details.client);
}

}  // namespace pgweir::proxy
