#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "router/analysis.h"
#include "router/catalog.h"
#include "router/read_verdict.h"
#include "router/repeat_verdict.h"
#include "router/text_hash.h"

namespace pgweir::router {
namespace {

constexpr std::array<size_t, kCatalogQueries> kColumnCounts = {5, 4, 2, 5, 2, 4, 1,
                                                               1, 3, 4, 1, 1, 8, 2};

// Extensions whose volatile functions only make random values.
bool IsHarmless(std::string_view extension) {
  return extension == "pgcrypto" || extension == "uuid-ossp";
}

uint64_t Fingerprint(const CatalogRows& rows) {
  uint64_t hash = 0;
  for (const auto& of_query : rows) {
    hash = HashText("", hash);
    for (const CatalogRow& row : of_query) {
      for (const std::string& value : row) hash = HashText(value, hash);
    }
  }
  return hash;
}

std::optional<uint32_t> Oid(std::string_view text) {
  uint32_t oid = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), oid);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return oid;
}

Volatility VolatilityFrom(std::string_view text) {
  if (text == "i") return Volatility::kImmutable;
  return text == "s" ? Volatility::kStable : Volatility::kVolatile;
}

// As the server writes an oidvector; nothing when it can't be read.
std::optional<std::vector<uint32_t>> Oids(std::string_view text) {
  std::vector<uint32_t> oids;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::optional<uint32_t> oid = Oid(text.substr(0, end));
    if (!oid) return std::nullopt;
    oids.push_back(*oid);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return oids;
}

std::vector<uint32_t> ReachedFrom(uint32_t start, const std::vector<std::vector<uint32_t>>& edges) {
  std::vector<uint32_t> reached = {start};
  for (size_t i = 0; i < reached.size(); ++i) {
    for (const uint32_t next : edges[reached[i]]) {
      if (std::find(reached.begin(), reached.end(), next) == reached.end()) reached.push_back(next);
    }
  }
  std::sort(reached.begin(), reached.end());
  return reached;
}

}  // namespace

// Builds a catalog from its rows. Rows that refer to relations which aren't there are skipped: they
// are of the system's schemas.
class CatalogLoader {
 public:
  explicit CatalogLoader(const CatalogRows& rows) : rows_(rows) {}

  StatusOr<CatalogRef> Load();

 private:
  // What runs when a relation is read, or only when it is written.
  struct Use {
    uint32_t relation = 0;
    bool when_read = false;
    std::optional<uint32_t> used_relation;  // else a function
    bool runs_volatile = false;
  };

  const std::vector<CatalogRow>& Rows(CatalogQuery query) const {
    return rows_[static_cast<size_t>(query)];
  }
  Status CheckShape() const;
  Status LoadRelations();
  void LoadFunctions();
  void LoadColumns();
  void LoadInheritance();
  void LoadBuiltIns();
  Status LoadOverloads();
  void LoadTypes();
  void LoadUses();
  void LoadAggregatesAndIndexes();
  void SpreadUses();
  void LoadFlags();
  void Reach();
  void JudgeViews();
  void DoubtAncestors(const CatalogRelation& relation);
  bool IsSureView(CatalogRelation& view) const;
  bool Spread(const Use& use);
  std::optional<uint32_t> IndexOf(std::string_view oid) const;

  const CatalogRows& rows_;
  std::shared_ptr<Catalog> catalog_ = std::make_shared<Catalog>();
  std::unordered_map<std::string_view, uint32_t> index_;
  std::unordered_map<std::string_view, bool> volatile_functions_;
  std::unordered_map<std::string_view, Volatility> volatility_;  // outside pg_catalog, by OID
  std::vector<Use> uses_;
};

StatusOr<CatalogRef> CatalogLoader::Load() {
  if (Status status = CheckShape(); !status.ok()) return status;
  if (Status status = LoadRelations(); !status.ok()) return status;
  LoadColumns();
  LoadInheritance();
  LoadFunctions();
  LoadBuiltIns();
  if (Status status = LoadOverloads(); !status.ok()) return status;
  LoadTypes();
  LoadUses();
  LoadAggregatesAndIndexes();
  SpreadUses();
  catalog_->hides_volatile_ = !Rows(CatalogQuery::kHidden).empty();
  LoadFlags();
  JudgeViews();
  Reach();
  catalog_->fingerprint_ = Fingerprint(rows_);
  return CatalogRef(std::move(catalog_));
}

Status CatalogLoader::CheckShape() const {
  for (size_t query = 0; query < kCatalogQueries; ++query) {
    for (const CatalogRow& row : rows_[query]) {
      if (row.size() == kColumnCounts[query]) continue;
      return Errorf(sqlstate::kInternalError, "catalog query {} gave {} columns instead of {}",
                    query, row.size(), kColumnCounts[query]);
    }
  }
  return absl::OkStatus();
}

Status CatalogLoader::LoadRelations() {
  for (const CatalogRow& row : Rows(CatalogQuery::kRelations)) {
    const std::optional<uint32_t> oid = Oid(row[0]);
    if (!oid || row[3].size() != 1) {
      return Errorf(sqlstate::kInternalError, "catalog row of relation \"{}\" can't be read",
                    row[2]);
    }
    const auto index = static_cast<uint32_t>(catalog_->relations_.size());
    CatalogRelation& relation = catalog_->relations_.emplace_back();
    relation.oid = *oid;
    relation.name = {row[1], row[2]};
    relation.kind = row[3][0];
    relation.definition = row[4];
    index_.emplace(row[0], index);
    catalog_->relations_by_name_[row[2]].push_back(index);
  }
  return absl::OkStatus();
}

void CatalogLoader::LoadColumns() {
  for (const CatalogRow& row : Rows(CatalogQuery::kColumns)) {
    const auto relation = IndexOf(row[0]);
    if (!relation) continue;
    const auto order = row[3] == "c"   ? CatalogColumn::Order::kBytes
                       : row[3] == "d" ? CatalogColumn::Order::kOther
                                       : CatalogColumn::Order::kUnknown;
    catalog_->relations_[*relation].columns.push_back(
        {.name = row[1], .type = Oid(row[2]).value_or(0), .order = order});
  }
  for (const CatalogRow& row : Rows(CatalogQuery::kDrawn)) {
    const auto relation = IndexOf(row[0]);
    if (!relation) continue;
    for (CatalogColumn& column : catalog_->relations_[*relation].columns) {
      if (column.name != row[1]) continue;
      column.draws = true;
      // One that needs escapes within '…' is left alone.
      if (row[2].find_first_of("'\\") == std::string::npos) column.sequence = row[2];
      column.always = row[3] == "a";
    }
  }
}

void CatalogLoader::LoadInheritance() {
  for (const CatalogRow& row : Rows(CatalogQuery::kInheritance)) {
    const auto child = IndexOf(row[0]);
    const auto parent = IndexOf(row[1]);
    if (!child || !parent) continue;
    catalog_->relations_[*child].parents.push_back(*parent);
    catalog_->relations_[*parent].children.push_back(*child);
    // What is written to the parent may be written to the child.
    uses_.push_back({*parent, false, *child, false});
  }
}

void CatalogLoader::LoadFunctions() {
  for (const CatalogRow& row : Rows(CatalogQuery::kFunctions)) {
    const Volatility volatility = VolatilityFrom(row[3]);
    const bool harmless = IsHarmless(row[4]);
    catalog_->functions_[row[2]].push_back({row[1], volatility, harmless});
    volatility_[row[0]] = volatility;
    volatile_functions_[row[0]] = volatility == Volatility::kVolatile && !harmless;
  }
}

void CatalogLoader::LoadBuiltIns() {
  for (const CatalogRow& row : Rows(CatalogQuery::kBuiltIns)) {
    catalog_->built_ins_[row[0]] = VolatilityFrom(row[1]);
  }
}

Status CatalogLoader::LoadOverloads() {
  for (const CatalogRow& row : Rows(CatalogQuery::kOverloads)) {
    auto parameters = Oids(row[4]);
    const std::optional<uint32_t> defaults = Oid(row[5]), result = Oid(row[7]);
    if (!parameters || !defaults || !result) {
      return Errorf(sqlstate::kInternalError, "catalog row of function \"{}\" can't be read",
                    row[2]);
    }
    const auto users = volatility_.find(row[0]);
    const auto unseen = volatile_functions_.find(row[0]);
    catalog_->overloads_[row[2]].push_back(
        {.schema = row[1],
         .volatility = users == volatility_.end() ? VolatilityFrom(row[3]) : users->second,
         .parameters = std::move(*parameters),
         .defaults = static_cast<uint16_t>(*defaults),
         .variadic = row[6] == "t",
         .result = *result,
         .unseen = unseen != volatile_functions_.end() && unseen->second});
  }
  return absl::OkStatus();
}

void CatalogLoader::LoadTypes() {
  for (const CatalogRow& row : Rows(CatalogQuery::kTypes)) {
    const std::optional<uint32_t> type = Oid(row[0]), base = Oid(row[1]);
    if (!type) continue;
    if (base) {
      catalog_->domains_[*type] = *base;
    } else {
      catalog_->shadowed_types_.insert(*type);
    }
  }
  // Domains of domains.
  for (auto& [domain, base] : catalog_->domains_) {
    for (auto next = catalog_->domains_.find(base); next != catalog_->domains_.end();
         next = catalog_->domains_.find(base)) {
      base = next->second;
    }
  }
}

void CatalogLoader::LoadUses() {
  for (const CatalogRow& row : Rows(CatalogQuery::kUses)) {
    const auto relation = IndexOf(row[0]);
    if (!relation) continue;
    Use use{*relation, row[1] == "r", std::nullopt, false};
    if (row[2] == "r") {
      use.used_relation = IndexOf(row[3]);
      if (!use.used_relation) continue;
    } else {
      const auto function = volatile_functions_.find(row[3]);
      use.runs_volatile = function != volatile_functions_.end() && function->second;
    }
    uses_.push_back(use);
  }
}

void CatalogLoader::LoadAggregatesAndIndexes() {
  for (const CatalogRow& row : Rows(CatalogQuery::kAggregates)) {
    catalog_->aggregates_.insert(row[0]);
  }
  for (const CatalogRow& row : Rows(CatalogQuery::kIndexes)) {
    const auto relation = IndexOf(row[2]);
    if (relation) catalog_->indexes_[row[1]].push_back({row[0], *relation});
  }
}

// Views of views, children of children, and so on, until nothing is new.
void CatalogLoader::SpreadUses() {
  for (bool changed = true; changed;) {
    changed = false;
    for (const Use& use : uses_) changed = Spread(use) || changed;
  }
}

bool CatalogLoader::Spread(const Use& use) {
  CatalogRelation& user = catalog_->relations_[use.relation];
  bool reads = false;
  bool writes = use.runs_volatile;
  if (use.used_relation) {
    const CatalogRelation& used = catalog_->relations_[*use.used_relation];
    reads = used.read_runs_volatile;
    // What is written to a view is written to what it shows.
    writes = used.read_runs_volatile || used.write_runs_volatile;
  } else {
    reads = use.runs_volatile;
  }
  const bool new_read = use.when_read && reads && !user.read_runs_volatile;
  const bool new_write = writes && !user.write_runs_volatile;
  user.read_runs_volatile = user.read_runs_volatile || new_read;
  user.write_runs_volatile = user.write_runs_volatile || new_write;
  return new_read || new_write;
}

// A view of a view that isn't surely a read isn't one either, until nothing is new.
void CatalogLoader::JudgeViews() {
  std::vector<CatalogRelation*> views;
  for (CatalogRelation& relation : catalog_->relations_) {
    if (relation.kind == 'v') views.push_back(&relation);
    relation.surely_read = !relation.read_runs_volatile;
  }
  for (const CatalogRelation& relation : catalog_->relations_) {
    if (relation.kind == 'f') DoubtAncestors(relation);
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (CatalogRelation* view : views) {
      if (!view->surely_read || IsSureView(*view)) continue;
      view->surely_read = false;
      changed = true;
    }
  }
}

// What reads a parent reads its children.
void CatalogLoader::DoubtAncestors(const CatalogRelation& relation) {
  for (const uint32_t index : relation.parents) {
    CatalogRelation& parent = catalog_->relations_[index];
    if (std::exchange(parent.surely_read, false)) DoubtAncestors(parent);
  }
}

// By its definition: dependencies don't name what is built in.
bool CatalogLoader::IsSureView(CatalogRelation& view) const {
  SqlScan scan;
  scan.Scan(view.definition);
  const Facts facts = Analyse(view.definition, scan);
  if (facts.statements.size() != 1) return false;
  if (JudgeRead(facts.statements[0], *catalog_) != ReadVerdict::kRead) return false;
  view.read_varies = Varies(facts.statements[0], *catalog_);
  return true;
}

void CatalogLoader::LoadFlags() {
  for (const CatalogRow& row : Rows(CatalogQuery::kSecured)) {
    const auto relation = IndexOf(row[0]);
    if (relation) catalog_->relations_[*relation].row_security = true;
  }
  catalog_->read_committed_ = !Rows(CatalogQuery::kCommitted).empty();
}

// What each leads to, by way of any number of others.
void CatalogLoader::Reach() {
  const size_t count = catalog_->relations_.size();
  std::vector<std::vector<uint32_t>> read(count), written(count);
  for (const Use& use : uses_) {
    if (!use.used_relation) continue;
    written[use.relation].push_back(*use.used_relation);
    if (use.when_read) read[use.relation].push_back(*use.used_relation);
  }
  for (size_t i = 0; i < count; ++i) {
    const std::vector<uint32_t>& children = catalog_->relations_[i].children;
    read[i].insert(read[i].end(), children.begin(), children.end());
  }
  for (uint32_t i = 0; i < count; ++i) {
    catalog_->relations_[i].reads = ReachedFrom(i, read);
    catalog_->relations_[i].writes = ReachedFrom(i, written);
  }
}

std::optional<uint32_t> CatalogLoader::IndexOf(std::string_view oid) const {
  const auto found = index_.find(oid);
  return found == index_.end() ? std::nullopt : std::optional(found->second);
}

StatusOr<CatalogRef> Catalog::FromRows(const CatalogRows& rows) {
  return CatalogLoader(rows).Load();
}

StatusOr<CatalogRef> Catalog::Refresh(CatalogRef current, const CatalogRows& rows) {
  if (current && current->fingerprint() == Fingerprint(rows)) return current;
  return FromRows(rows);
}

}  // namespace pgweir::router
