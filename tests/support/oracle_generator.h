#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/oracle_draft.h"
#include "tests/support/oracle_script.h"
#include "tests/support/twin_statements.h"

namespace pgweir::test {

// Random statements about trades, candles and padded, which are sharded, instruments, which is
// replicated, and orders, which is not listed; the same from the same seed. Whatever they answer is
// decided by the rows alone: not by the order in which a server meets them, nor by its clock.
class OracleGenerator {
 public:
  explicit OracleGenerator(uint64_t seed) : random_(seed) {}

  OracleScript Make(size_t units);

 private:
  // Something in FROM with a symbol and a number.
  struct Item {
    std::string sql = {};
    std::string alias = {};
    std::string symbol = "symbol";
    std::string number = {};
    // Nothing within it decides its symbols yet.
    bool owes = true;

    std::string Symbol() const { return alias + "." + symbol; }
    std::string Number() const { return alias + "." + number; }
  };
  using Items = std::vector<Item>;
  // Several of them, with what has to be true of them above their joins.
  struct From {
    std::string sql;
    Items items;
    std::vector<std::string> where;
  };
  struct Output {
    std::string sql;
    int columns = 0;  // 0 = it isn't known here
  };
  using Feature = std::string (OracleGenerator::*)();
  struct Weighted {
    const char* name;
    int weight;
    Feature make;
    bool of_rest = false;  // only decided for the default node
  };
  static const std::vector<Weighted> kFeatures;
  static const std::vector<Weighted> kUndecided;

  // --- oracle_generator.cc: statements and transactions ---
  OracleStep Statement(std::optional<size_t> node, bool pinned, bool simple = false);
  OracleUnit Transaction();
  OracleStep Plain(const char* kind, std::string_view sql, bool decided);
  bool decided() const { return draft_->decided(); }
  std::string Alias() { return "t" + std::to_string(++aliases_); }
  std::string Number() { return draft_->Number(); }

  // --- oracle_conditions.cc ---
  std::string Condition(const Items& items, int depth = 3);
  std::string OfSymbol(const Item& item);
  std::string SaysLittle(const Item& item);
  std::string OfQuery(const Item& item);
  std::string Deciding(const Item& item);
  // " WHERE …", with what is owed; "" when there is nothing.
  std::string Where(const Items& items, std::vector<std::string> conditions = {});

  // --- oracle_from.cc ---
  Item Table(std::string_view name = "");
  Item Any();
  Item Query();
  Item View();
  From Joined(int count);

  // --- oracle_reads.cc ---
  Output Outputs(const Items& items);
  std::string Ordered(int columns, std::string sql, int chance);
  std::string Rows();
  std::string Join();
  std::string Ordering();
  std::string Grouping();
  std::string Distinct();
  std::string SetOperation();
  std::string Recursive();
  std::string Windows();
  std::string Locking();
  std::string Lateral();
  std::string Replicated();
  std::string Unlisted();
  std::string NoTable();
  std::string Volatile();

  // --- oracle_writes.cc ---
  std::string Insert();
  std::string InsertQuery();
  std::string OnConflict(std::string_view table);
  std::string Update();
  std::string Delete();
  std::string Merge();
  std::string WritingCte();
  std::string ReplicatedWrite();
  std::string UnlistedWrite();

  TwinRandom random_;
  std::optional<OracleDraft> draft_;
  std::vector<std::string> ctes_;
  bool recursive_ = false;
  bool ordered_ = false;
  int depth_ = 0;  // of queries within queries
  int aliases_ = 0;
};

}  // namespace pgweir::test
