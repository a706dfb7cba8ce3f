#include "proxy/node_catalog.h"

#include <algorithm>
#include <vector>

#include "base/log.h"

namespace pgweir::proxy {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLook{50};
constexpr milliseconds kBetweenRefreshes{1'000};
constexpr milliseconds kAfterFailure{5'000};
constexpr milliseconds kRefresh{60'000};

}  // namespace

StatusOr<router::CatalogRows> AskForCatalog(const pooler::Target& target,
                                            const CatalogPatience& patience) {
  router::CatalogRows rows;
  const auto query = [](size_t i) {
    return router::CatalogQueryText(static_cast<router::CatalogQuery>(i));
  };
  if (Status asked = AskCatalogs(target, patience, query, rows); !asked.ok()) return asked;
  return rows;
}

uint64_t NodeCatalog::NextVersion() {
  static std::atomic<uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

router::CatalogRef NodeCatalog::Get() const {
  MutexLock lock(mutex_);
  return catalog_;
}

CatalogLoader::CatalogLoader() : thread_([this] { Run(); }) {}

CatalogLoader::~CatalogLoader() {
  stopping_ = true;
  wanted_.release();
  thread_.join();
}

bool CatalogLoader::Stop(TimePoint deadline) {
  stopping_ = true;
  wanted_.release();
  return ended_.try_acquire_until(deadline);
}

NodeCatalogRef CatalogLoader::Get(const std::string& node, const std::string& database,
                                  const std::shared_ptr<pooler::Pool>& pool) {
  MutexLock lock(mutex_);
  NodeCatalogRef& catalog = catalogs_[{node, database}];
  if (catalog == nullptr) {
    catalog = std::make_shared<NodeCatalog>();
    wanted_.release();
  }
  MutexLock its(catalog->mutex_);
  catalog->pool_ = pool;
  return catalog;
}

router::CatalogRef CatalogLoader::Find(const std::string& node, const std::string& database) {
  MutexLock lock(mutex_);
  const auto found = catalogs_.find({node, database});
  return found == catalogs_.end() ? nullptr : found->second->Get();
}

void CatalogLoader::Run() {
  while (!stopping_) {
    for (const NodeCatalogRef& catalog : Due()) {
      if (!stopping_) Load(*catalog);
    }
    [[maybe_unused]] const bool one = wanted_.try_acquire_for(kLook);
  }
  ended_.release();
}

// Those that nobody holds any more are forgotten.
std::vector<NodeCatalogRef> CatalogLoader::Due() {
  const TimePoint now = Clock::now();
  std::vector<NodeCatalogRef> due;
  MutexLock lock(mutex_);
  std::erase_if(catalogs_, [&](const auto& entry) { return entry.second.use_count() == 1; });
  for (const auto& [key, catalog] : catalogs_) {
    const bool wanted = catalog->stale_ || now >= catalog->refresh_at_;
    const bool at_once = catalog->wanted_ != catalog->answered_;
    if (at_once || (wanted && now >= catalog->not_before_)) due.push_back(catalog);
  }
  return due;
}

void CatalogLoader::Load(NodeCatalog& catalog) {
  const uint64_t wanted = catalog.wanted_;
  LoadOnce(catalog);
  catalog.answered_.store(wanted, std::memory_order_release);
}

void CatalogLoader::LoadOnce(NodeCatalog& catalog) {
  std::shared_ptr<pooler::Pool> pool;
  router::CatalogRef current;
  {
    MutexLock lock(catalog.mutex_);
    pool = catalog.pool_.lock();
    current = catalog.catalog_;
  }
  if (pool == nullptr) return;
  used_ = pool.get();
  if (pool->paused()) {
    used_ = nullptr;
    return;
  }
  catalog.stale_ = false;
  const uint64_t changes = catalog.changes_;
  auto rows = AskForCatalog(pool->target(), kCatalogPatience);
  used_ = nullptr;
  auto next = rows.ok() ? router::Catalog::Refresh(current, *rows)
                        : StatusOr<router::CatalogRef>(rows.status());
  const TimePoint now = Clock::now();
  catalog.refresh_at_ = now + kRefresh;
  catalog.not_before_ = now + (next.ok() ? kBetweenRefreshes : kAfterFailure);
  if (!next.ok()) {
    catalog.stale_ = true;
    LogWarn("could not read the catalog pool={} message=\"{}\"", pool->name(),
            MessageOf(next.status()));
    return;
  }
  if (*next != current) {
    LogDebug("catalog read pool={} relations={}", pool->name(), (*next)->relations().size());
    MutexLock lock(catalog.mutex_);
    catalog.catalog_ = *std::move(next);
    catalog.version_.store(NodeCatalog::NextVersion(), std::memory_order_release);
  }
  catalog.known_changes_.store(changes, std::memory_order_release);
}

}  // namespace pgweir::proxy
