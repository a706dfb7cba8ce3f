#include "proxy/cached_read.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "config/duration.h"
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

// As the server shows a time: "500ms", "2s", "1min" …, a number alone is of milliseconds; zero
// where it is none.
Duration TimeOf(std::string text) {
  const bool has_unit =
      !text.empty() && absl::ascii_isalpha(static_cast<unsigned char>(text.back()));
  if (text.ends_with("min")) text.resize(text.size() - 2);
  return config::ParseDuration(has_unit ? text : text + "ms")
      .value_or(std::chrono::milliseconds::zero());
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
