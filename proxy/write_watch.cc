#include "proxy/write_watch.h"

#include <algorithm>
#include <utility>

#include "proxy/bound_parameters.h"
#include "query-cache/extents.h"
#include "router/statement_cache.h"

namespace pgweir::proxy {
namespace {

using Use = RequestStatement::Use;

cache::Extent Unknown(cache::DatabaseId database) { return {database, {}, true}; }

// Whether the statement surely leaves the transaction open that it is part of.
bool StaysInTransaction(const RequestStatement& statement) {
  if (!statement.carried_out()) return true;
  if (statement.facts == nullptr) return false;
  constexpr uint32_t kMayEnd = router::kTransaction | router::kUnseen | router::kExecutes;
  return (statement.facts->effects & kMayEnd) == 0;
}

// Whether the symbols that the statement names are those of all rows that it may change. A row that
// ON CONFLICT changes may be of another symbol, where a key doesn't hold that.
bool SaysItsSymbols(const router::StatementFacts& statement) {
  const auto written = std::count_if(statement.relations.begin(), statement.relations.end(),
                                     [](const router::Relation& one) { return one.written; });
  if (written != 1 || statement.shape == nullptr) return false;
  switch (statement.kind) {
    case router::StatementKind::kInsert:
      return statement.shape->assignments.empty();
    case router::StatementKind::kUpdate:
    case router::StatementKind::kDelete:
      return true;
    default:
      return false;
  }
}

}  // namespace

cache::Extent WriteWatch::ExtentOf(const RequestStatement& statement,
                                   const ReadingContext& context) {
  const cache::DatabaseId database = place_.database;
  cache::Extent extent{database, {}, false};
  if (!statement.carried_out()) return extent;
  const router::CatalogRef catalog = place_.catalog->Get();
  if (statement.facts == nullptr || catalog == nullptr || !context.settings.ascii_superset()) {
    return Unknown(database);
  }
  const router::Facts& facts = *statement.facts;
  if (!facts.not_understood.empty()) return Unknown(database);
  for (size_t i = 0; i < facts.statements.size() && !extent.unknown; ++i) {
    const router::TouchedTables touched = router::TablesWritten(facts.statements[i], *catalog);
    if (touched.none()) continue;
    std::vector<router::TouchedSymbols> symbols;
    const bool by_symbols = !touched.unknown && place_.map != nullptr && !statement.text.empty() &&
                            SaysItsSymbols(facts.statements[i]);
    if (by_symbols) {
      symbols = SymbolsOf(statement, i, context, planners_.Of(*place_.catalog, place_.map));
    }
    cache::Unite(extent,
                 cache::ExtentOf(database, touched, *catalog, facts.statements[i], symbols));
  }
  return extent;
}

void WriteWatch::Sending(const RequestContents& request, const ReadingContext& context,
                         const wire::ReplyTracker& tracker) {
  const bool inside = tracker.status() != wire::TransactionStatus::kIdle && !tracker.outstanding();
  bool stays = inside;
  for (const RequestStatement& statement : request.statements) {
    cache::Extent extent = ExtentOf(statement, context);
    constexpr uint32_t kMayChange = router::kDdl | router::kUnseen;
    changes_catalog_ =
        changes_catalog_ || (extent.unknown && (statement.facts == nullptr ||
                                                (statement.facts->effects & kMayChange) != 0));
    stays = stays && StaysInTransaction(statement);
    if (!extent.unknown && extent.tables.empty()) continue;
    cache::Unite(noted_, std::move(extent));
    has_noted_ = true;
  }
  if (has_noted_ && !stays) Begin();
}

WriteWatch::~WriteWatch() { Over(); }

void WriteWatch::Begin() {
  // What began before goes on: a pipeline may commit several times.
  if (under_way_) earlier_.push_back(std::move(writing_));
  writing_ = cache_.versions.Write(noted_);
  under_way_ = true;
  noted_ = cache::Extent();
  has_noted_ = false;
}

void WriteWatch::WriteUnknown() {
  cache::Unite(noted_, Unknown(place_.database));
  Begin();
}

void WriteWatch::Ready(const wire::ReplyTracker& tracker) {
  if (tracker.status() == wire::TransactionStatus::kIdle && !tracker.outstanding()) Over();
}

void WriteWatch::Over() {
  noted_ = cache::Extent();
  has_noted_ = false;
  if (!under_way_) return;
  under_way_ = false;
  if (std::exchange(changes_catalog_, false)) place_.catalog->MarkChanged();
  cache_.ClockOf(place_.database).Wrote(Clock::now());
  writing_.End();
  earlier_.clear();
}

}  // namespace pgweir::proxy
