#include <array>

#include "config/sections.h"

namespace pgweir::config {
namespace {

constexpr uint64_t kLeastStatementLength = uint64_t{1} << 10;
constexpr uint64_t kMaxParameterLength = uint64_t{64} << 20;
constexpr uint64_t kLeastQueue = uint64_t{64} << 10;
constexpr uint64_t kMaxQueue = uint64_t{1} << 30;
constexpr int kMaxLines = 10'000'000;
constexpr int kMaxKept = 1'000;
constexpr milliseconds kLeastAge{60'000};
constexpr milliseconds kLeastPlanInterval{1'000};

constexpr std::array<std::pair<std::string_view, Redact>, 3> kRedacts{
    {{"none", Redact::kNone},
     {"parameters", Redact::kParameters},
     {"literals", Redact::kLiterals}}};

SlowLogRule ReadRule(TableReader& reader) {
  SlowLogRule rule;
  rule.database = reader.Text("database").value_or("");
  rule.user = reader.Text("user").value_or("");
  rule.digest = ReadDigest(reader, "digest");
  rule.threshold = reader.Time("threshold");
  rule.sample = reader.Share("sample");
  reader.RejectUnknown();
  if (rule.database.empty() && rule.user.empty() && !reader.Has("digest")) {
    reader.Fault("must have a database, a user or a digest");
  }
  if (!reader.Has("threshold") && !reader.Has("sample")) {
    reader.Fault("must have a threshold or a sample");
  }
  return rule;
}

void ReadLengths(TableReader& reader, SlowLog& log) {
  log.parameter_max_length =
      reader.Size("parameter_max_length", 0).value_or(log.parameter_max_length);
  if (log.parameter_max_length > kMaxParameterLength) {
    reader.Fault("parameter_max_length", "must be at most \"64MiB\"");
  }
  log.statement_max_length =
      reader.Size("statement_max_length", kLeastStatementLength).value_or(log.statement_max_length);
  log.max_queue_bytes = reader.Size("max_queue_bytes", kLeastQueue).value_or(log.max_queue_bytes);
  if (log.max_queue_bytes > kMaxQueue) reader.Fault("max_queue_bytes", "must be at most \"1GiB\"");
}

void ReadRotation(TableReader& reader, SlowLog& log) {
  log.rotate_size = reader.Size("rotate_size", 0).value_or(log.rotate_size);
  log.rotate_age = reader.Time("rotate_age").value_or(log.rotate_age);
  if (log.rotate_age != milliseconds(0) && log.rotate_age < kLeastAge) {
    reader.Fault("rotate_age", "must be \"0s\" or at least \"1m\"");
  }
  log.keep = reader.Int("keep", 0, kMaxKept).value_or(log.keep);
}

void ReadPlans(TableReader& reader, SlowLog& log) {
  log.plans = reader.Bool("plans").value_or(log.plans);
  log.plan_interval = reader.Time("plan_interval").value_or(log.plan_interval);
  if (log.plan_interval < kLeastPlanInterval) {
    reader.Fault("plan_interval", "must be at least \"1s\"");
  }
}

}  // namespace

void ReadSlowLog(TableReader reader, const std::filesystem::path& folder, SlowLog& log) {
  log.path = ReadPath(reader, "path", folder);
  log.threshold = reader.Time("threshold").value_or(log.threshold);
  log.sample = reader.Share("sample").value_or(log.sample);
  log.errors = reader.Bool("errors").value_or(log.errors);
  log.redact = reader.Choice<Redact>("redact", kRedacts).value_or(log.redact);
  ReadLengths(reader, log);
  log.max_lines_per_second =
      reader.Int("max_lines_per_second", 0, kMaxLines).value_or(log.max_lines_per_second);
  ReadRotation(reader, log);
  ReadPlans(reader, log);
  for (TableReader& rule : reader.Tables("rules")) log.rules.push_back(ReadRule(rule));
  reader.RejectUnknown();
}

}  // namespace pgweir::config
