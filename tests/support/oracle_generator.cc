#include "tests/support/oracle_generator.h"

#include "fmt/format.h"
#include "fmt/ranges.h"

namespace pgweir::test {
namespace {

constexpr size_t kRest = kOracleNodes - 1;

constexpr const char* kBegins[] = {"BEGIN", "START TRANSACTION", "begin work",
                                   "BEGIN ISOLATION LEVEL REPEATABLE READ", "BEGIN READ ONLY"};
// What any node does alike, before a transaction's node is known as well as afterwards.
constexpr const char* kNeutral[] = {"SELECT 1", "SET LOCAL work_mem = '5MB'", "SHOW TimeZone",
                                    "SELECT 'BTC' AS symbol", "VALUES (1, 'x'), (2, 'y')"};
constexpr const char* kFailing[] = {"SELECT 1 / 0", "SELECT nothing FROM instruments",
                                    "SELECT 'x'::int", "SET LOCAL work_mem = 'x'"};

}  // namespace

const std::vector<OracleGenerator::Weighted> OracleGenerator::kFeatures = {
    {"rows", 14, &OracleGenerator::Rows},
    {"join", 14, &OracleGenerator::Join},
    {"ordering", 5, &OracleGenerator::Ordering},
    {"grouping", 8, &OracleGenerator::Grouping},
    {"distinct", 3, &OracleGenerator::Distinct},
    {"set operation", 6, &OracleGenerator::SetOperation},
    {"recursive", 3, &OracleGenerator::Recursive},
    {"windows", 3, &OracleGenerator::Windows},
    {"locking", 2, &OracleGenerator::Locking},
    {"lateral", 3, &OracleGenerator::Lateral},
    {"replicated", 5, &OracleGenerator::Replicated},
    {"volatile", 1, &OracleGenerator::Volatile},
    {"no table", 1, &OracleGenerator::NoTable},
    {"unlisted", 2, &OracleGenerator::Unlisted, true},
    {"insert", 9, &OracleGenerator::Insert},
    {"insert of a query", 5, &OracleGenerator::InsertQuery},
    {"update", 8, &OracleGenerator::Update},
    {"delete", 4, &OracleGenerator::Delete},
    {"writing CTE", 4, &OracleGenerator::WritingCte},
    {"unlisted write", 2, &OracleGenerator::UnlistedWrite, true},
};

const std::vector<OracleGenerator::Weighted> OracleGenerator::kUndecided = {
    {"merge", 2, &OracleGenerator::Merge},
    {"replicated write", 1, &OracleGenerator::ReplicatedWrite},
};

OracleScript OracleGenerator::Make(size_t units) {
  OracleScript script;
  while (script.size() < units) {
    if (random_.Chance(15)) {
      script.push_back(Transaction());
      continue;
    }
    std::optional<size_t> node;
    if (random_.Chance(45)) node = static_cast<size_t>(random_.Below(kOracleNodes));
    OracleStep step = Statement(node, false);
    if (random_.Chance(8)) {
      const OracleStep first = Statement(node, true, true);
      step = Statement(node, true, true);
      step.kind = "several in one text";
      step.sql = first.sql + "; " + step.sql;
      step.ordered = false;
    }
    script.push_back({std::move(step)});
  }
  return script;
}

// pinned: it is about this node in each of its executions.
OracleStep OracleGenerator::Statement(std::optional<size_t> node, bool pinned, bool simple) {
  const int form = simple ? 0 : random_.Below(3);
  draft_.emplace(random_, static_cast<OracleForm>(form), node);
  if (pinned) draft_->FixNode();
  ctes_.clear();
  recursive_ = ordered_ = false;
  depth_ = aliases_ = 0;
  std::vector<const Weighted*> choices;
  for (const Weighted& feature : kFeatures) {
    if (feature.of_rest && node.value_or(kRest) != kRest) continue;
    for (int i = 0; i < feature.weight; ++i) choices.push_back(&feature);
  }
  for (const Weighted& feature : kUndecided) {
    for (int i = 0; i < feature.weight && !node; ++i) choices.push_back(&feature);
  }
  const Weighted& feature = *random_.Pick(choices);
  if (feature.of_rest) draft_->FixNode();
  std::string sql = (this->*feature.make)();
  if (!ctes_.empty()) {
    sql = fmt::format("WITH {}{} {}", recursive_ ? "RECURSIVE " : "", fmt::join(ctes_, ", "), sql);
  }
  OracleStep step = draft_->Finish(feature.name, std::move(sql));
  step.ordered = ordered_;
  return step;
}

OracleStep OracleGenerator::Plain(const char* kind, std::string_view sql, bool decided) {
  OracleStep step{.kind = kind, .sql = std::string(sql), .executions = {{}}};
  step.form = static_cast<OracleForm>(random_.Below(2));
  step.decided = decided;
  return step;
}

OracleUnit OracleGenerator::Transaction() {
  std::optional<size_t> node;
  if (random_.Chance(65)) node = static_cast<size_t>(random_.Below(kOracleNodes));
  // It is on the node from its first statement about rows on. Others may begin with one that no
  // symbol fits, and then be elsewhere.
  const bool decides = node.has_value() && random_.Chance(70);
  OracleUnit unit = {Plain("transaction", random_.Pick(kBegins), decides)};
  if (random_.Chance(20)) unit.push_back(Plain("transaction", random_.Pick(kNeutral), decides));
  if (decides) {
    const std::string symbol = Quoted(kOracleSymbols[*node][0]);
    unit.push_back(
        Plain("transaction", "SELECT count(*) FROM trades WHERE symbol = " + symbol, true));
  }
  bool begun = decides;
  int savepoints = 0;
  for (int i = 2 + random_.Below(6); i > 0; --i) {
    const int choice = random_.Below(20);
    if (choice < 2) {
      unit.push_back(Plain("transaction", random_.Pick(kNeutral), decides));
    } else if (choice < 5) {
      unit.push_back(Plain("transaction", fmt::format("SAVEPOINT s{}", ++savepoints), decides));
    } else if (choice < 8 && savepoints > 0) {
      const char* const what = random_.Chance(70) ? "ROLLBACK TO SAVEPOINT" : "RELEASE";
      unit.push_back(Plain("transaction",
                           fmt::format("{} s{}", what, 1 + random_.Below(savepoints)), decides));
    } else if (choice < 10 && begun) {
      unit.push_back(Plain("transaction", random_.Pick(kFailing), decides));
    } else {
      unit.push_back(Statement(node, true));
      unit.back().decided = decides;
      begun = true;
    }
  }
  unit.push_back(Plain("transaction", random_.Chance(75) ? "COMMIT" : "ROLLBACK", decides));
  return unit;
}

}  // namespace pgweir::test
