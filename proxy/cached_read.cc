#include "proxy/cached_read.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "pooler/conninfo.h"
#include "proxy/statement_store.h"

namespace pgweir::proxy {
namespace {

// Settings that change how long an answer takes, what is logged, or what happens when it fails, and
// never what it is. All others are part of the key; client_min_messages, too: an answer is kept
// when it came without notices, and others might be sent some.
constexpr std::array<std::string_view, 21> kIrrelevant = {"application_name",
                                                          "backend_flush_after",
                                                          "client_connection_check_interval",
                                                          "commit_delay",
                                                          "commit_siblings",
                                                          "deadlock_timeout",
                                                          "default_transaction_deferrable",
                                                          "default_transaction_read_only",
                                                          "effective_cache_size",
                                                          "effective_io_concurrency",
                                                          "hash_mem_multiplier",
                                                          "idle_in_transaction_session_timeout",
                                                          "idle_session_timeout",
                                                          "in_hot_standby",
                                                          "lock_timeout",
                                                          "maintenance_work_mem",
                                                          "statement_timeout",
                                                          "synchronous_commit",
                                                          "temp_buffers",
                                                          "transaction_timeout",
                                                          "work_mem"};
constexpr std::array<std::string_view, 7> kIrrelevantKinds = {
    "enable_", "jit", "log_", "track_", "tcp_", "pgweir.", "max_parallel_"};

bool IsRelevant(std::string_view name) {
  if (std::find(kIrrelevant.begin(), kIrrelevant.end(), name) != kIrrelevant.end()) return false;
  if (name.ends_with("_cost")) return false;
  return std::none_of(kIrrelevantKinds.begin(), kIrrelevantKinds.end(),
                      [name](std::string_view kind) { return name.starts_with(kind); });
}

void Add(std::string& fingerprint, const wire::Setting& setting) {
  if (!IsRelevant(setting.first)) return;
  fingerprint.append(setting.first).push_back('\0');
  fingerprint.append(setting.second).push_back('\0');
}

// As the server shows a time: "500ms", "2s", "1min" …; zero where it is none.
Duration TimeOf(std::string_view value) {
  using std::chrono::milliseconds;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || number < 0) return Duration::zero();
  const std::string_view unit = value.substr(static_cast<size_t>(end - value.data()));
  constexpr std::array<std::pair<std::string_view, int64_t>, 6> kUnits = {
      {{"", 1}, {"ms", 1}, {"s", 1'000}, {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  for (const auto& [name, factor] : kUnits) {
    constexpr int64_t kMost =
        1'000'000'000;  // of milliseconds, beyond which it may as well be none
    if (unit == name) return milliseconds(std::min(number, kMost / factor) * factor);
  }
  return Duration::zero();
}

}  // namespace

cache::Tell NewsBox::TellTo(std::shared_ptr<NewsBox> box) {
  return [box = std::move(box)](cache::News news) mutable {
    {
      const MutexLock lock(box->mutex_);
      box->news_.emplace(std::move(news));
    }
    net::Worker& worker = box->worker_;
    worker.Post([box = std::move(box)] {
      if (box->event_ != nullptr) box->event_->Set();
    });
  };
}

std::optional<cache::News> NewsBox::Take() {
  const MutexLock lock(mutex_);
  return std::exchange(news_, std::nullopt);
}

cache::DatabaseId ServersDatabase(const config::Node& node, const std::string& name) {
  const std::string named = pooler::DestinationOf(node.primary).database;
  return cache::DatabaseOf(named.empty() ? name : named);
}

CacheSettings CacheSettingsOf(wire::ParametersRef parameters) {
  CacheSettings settings;
  const auto value = [&](std::string_view name) {
    const std::string* const found = parameters->FindUnreported(name);
    return found == nullptr ? std::string() : *found;
  };
  for (const wire::Setting& setting : parameters->reported()) Add(settings.fingerprint, setting);
  settings.fingerprint.push_back('\0');
  for (const wire::Setting& setting : parameters->unreported()) Add(settings.fingerprint, setting);
  settings.role = value("role");
  settings.search_path = value("search_path");
  settings.analysis = StatementStore::HashOf(parameters->AnalysisKey());
  if (value("default_transaction_isolation") == "serializable") {
    settings.refusal = cache::Refusal::kSerializable;
  }
  settings.statement_timeout = TimeOf(value("statement_timeout"));
  if (!parameters->ascii_superset()) settings.refusal = cache::Refusal::kSettings;
  if (const std::string wish = value("pgweir.cache"); !wish.empty()) {
    router::Hints hints;
    if (router::SetHint("cache", wish, hints).ok()) settings.wish = hints.cache;
  }
  settings.of = std::move(parameters);
  return settings;
}

}  // namespace pgweir::proxy
