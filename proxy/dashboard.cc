#include "proxy/dashboard.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/json_text.h"
#include "base/utf8.h"
#include "pooler/node_monitor.h"
#include "proxy/overview.h"
#include "web/pages.h"

namespace pgweir::proxy {
namespace {

constexpr std::chrono::seconds kGoodFor{1};
// What a page has room for.
constexpr size_t kMaxPools = 50;
constexpr size_t kMaxServers = 200;
constexpr size_t kMaxPatterns = 200;
constexpr size_t kMaxDigests = 12;
constexpr size_t kMaxText = 1000;

std::string Text(std::string_view text) { return ToUtf8(std::string(text.substr(0, kMaxText))); }

template <class Moments, class Figure>
void AddFigures(JsonText& json, std::string_view name, const Moments& moments, Figure figure) {
  json.Key(name).BeginArray();
  for (const Course::Moment& moment : moments) {
    json.Decimal(std::round(static_cast<double>(moment.*figure) * 1000) / 1000);
  }
  json.EndArray();
}

void AddCourse(JsonText& json, const Course& course) {
  using Moment = Course::Moment;
  const auto& moments = course.moments();
  json.Key("course").BeginObject();
  AddFigures(json, "second", moments, &Moment::second);
  AddFigures(json, "statements", moments, &Moment::statements);
  AddFigures(json, "errors", moments, &Moment::errors);
  AddFigures(json, "hits", moments, &Moment::hits);
  AddFigures(json, "misses", moments, &Moment::misses);
  AddFigures(json, "p50", moments, &Moment::p50_us);
  AddFigures(json, "p95", moments, &Moment::p95_us);
  AddFigures(json, "p99", moments, &Moment::p99_us);
  AddFigures(json, "queue", moments, &Moment::queue);
  AddFigures(json, "server", moments, &Moment::server);
  AddFigures(json, "transfer", moments, &Moment::transfer);
  AddFigures(json, "client", moments, &Moment::client);
  AddFigures(json, "rest", moments, &Moment::rest);
  AddFigures(json, "active", moments, &Moment::active);
  AddFigures(json, "idle", moments, &Moment::idle);
  AddFigures(json, "connecting", moments, &Moment::connecting);
  AddFigures(json, "waiting", moments, &Moment::waiting);
  AddFigures(json, "clients", moments, &Moment::clients);
  json.EndObject();
}

void AddPools(JsonText& json, const Shared& shared, TimePoint now) {
  json.Key("pools").BeginArray();
  for (const PoolShown& pool : PoolsOf(shared, kMaxPools)) {
    const Duration longest = LongestWait(pool.counts, now);
    json.BeginObject();
    json.Key("database").String(Text(pool.database)).Key("user").String(Text(pool.user));
    json.Key("node").String(Text(pool.node));
    json.Key("active").Number(pool.counts.leased).Key("idle").Number(pool.counts.idle);
    json.Key("connecting").Number(pool.counts.connecting);
    json.Key("waiting").Number(pool.counts.waiting);
    json.Key("longest_us");
    json.Number(std::chrono::duration_cast<std::chrono::microseconds>(longest).count());
    json.EndObject();
  }
  json.EndArray();
}

void AddServers(JsonText& json, const Shared& shared) {
  json.Key("servers").BeginArray();
  size_t left = kMaxServers;
  for (const pooler::NodeViewRef& node : shared.nodes.Views()) {
    for (const pooler::ServerView& server : node->servers) {
      if (left == 0) break;
      --left;
      json.BeginObject();
      json.Key("database").String(Text(node->database)).Key("node").String(Text(node->node));
      json.Key("host").String(Text(server.host)).Key("port").String(Text(server.port));
      json.Key("role").String(NameOf(server.role)).Key("state").String(NameOf(server.condition));
      if (server.lag_bytes.has_value()) json.Key("lag_bytes").Number(*server.lag_bytes);
      if (server.lag.has_value()) {
        using std::chrono::microseconds;
        json.Key("lag_us").Number(std::chrono::duration_cast<microseconds>(*server.lag).count());
      }
      if (!server.error.empty()) json.Key("error").String(Text(server.error));
      json.EndObject();
    }
  }
  json.EndArray();
}

// Of all who may be asked: the page makes rates of them.
void AddShards(JsonText& json, const Shared& shared, const config::Config& config) {
  json.Key("shards").BeginArray();
  size_t left = kMaxPatterns;
  for (const PatternShown& shown : PatternsOf(shared, config)) {
    if (left-- == 0) break;
    json.BeginObject().Key("database").String(Text(shown.database));
    json.Key("pattern").String(Text(shown.pattern)).Key("node").String(Text(shown.node));
    json.Key("statements").Number(shown.values.statements);
    json.Key("rows").Number(shown.values.rows).EndObject();
  }
  json.EndArray();
}

void AddCache(JsonText& json, const cache::QueryCache& cache, const config::Cache& configured) {
  const cache::Store::Counts counts = cache.store.counts();
  constexpr auto kRelaxed = std::memory_order_relaxed;
  json.Key("cache").BeginObject();
  json.Key("entries").Number(counts.entries).Key("bytes").Number(counts.bytes);
  json.Key("max_bytes").Number(configured.max_bytes);
  json.Key("hits").Number(cache.total.hits.load(kRelaxed));
  json.Key("misses").Number(cache.total.misses.load(kRelaxed));
  json.EndObject();
}

void AddDigests(JsonText& json, const Shared& shared) {
  json.Key("digests").BeginArray();
  for (const auto& digest : DigestsOf(shared, kMaxDigests)) {
    const observe::DigestSums& sums = digest->sums;
    const uint64_t blocked = sums.blocked_us.Get();
    json.BeginObject();
    json.Key("digest").String(fmt::format("{:016x}", digest->digest));
    json.Key("database").String(Text(digest->database)).Key("user").String(Text(digest->user));
    json.Key("text").String(digest->database.empty() ? "(other)" : Text(digest->text));
    json.Key("calls").Number(sums.calls.Get());
    json.Key("errors").Number(sums.errors.Get());
    json.Key("hits").Number(sums.cache_hits.Get());
    json.Key("p95").Number(sums.latency.Quantile(0.95));
    json.Key("total").Number(sums.total_us.Get());
    json.Key("queue").Number(sums.wait_us.Get());
    json.Key("server").Number(sums.backend_us.Get());
    json.Key("transfer").Number(std::max(sums.transfer_us.Get(), blocked) - blocked);
    json.Key("client").Number(blocked);
    json.Key("rest").Number(sums.route_us.Get() + sums.sync_us.Get() + sums.ahead_us.Get());
    json.EndObject();
  }
  json.EndArray();
}

}  // namespace

HttpAnswer Dashboard::Page() {
  return {200, "text/html; charset=utf-8", std::string(web::kDashboard)};
}

HttpAnswer Dashboard::Data(const Shared& shared, const Snapshot& snapshot, TimePoint now) {
  if (data_.empty() || now - data_at_ >= kGoodFor) {
    const config::Config& config = snapshot.config();
    JsonText json;
    json.BeginObject();
    json.Key("version").String(PGWEIR_VERSION);
    json.Key("up_seconds")
        .Number(std::chrono::duration_cast<std::chrono::seconds>(now - since_).count());
    // By which rates are made; the same for all who are given this.
    json.Key("at_ms").Number(
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
    json.Key("draining").Number(shared.control.shutting_down());
    json.Key("workers").Number(shared.hosts.size());
    json.Key("max_clients").Number(config.listen.max_clients);
    AddCourse(json, course_);
    AddPools(json, shared, now);
    AddServers(json, shared);
    AddShards(json, shared, config);
    if (shared.cache != nullptr) AddCache(json, *shared.cache, config.cache);
    AddDigests(json, shared);
    json.EndObject();
    data_ = json.text();
    data_at_ = now;
  }
  return {200, "application/json", data_};
}

}  // namespace pgweir::proxy
