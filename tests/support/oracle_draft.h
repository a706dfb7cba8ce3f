#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/oracle_script.h"
#include "tests/support/twin_statements.h"

namespace pgweir::test {

// By their nodes, in the order of FourShards::Nodes(): prefixes of each other, of another case,
// with quotes, blanks at the end, or nothing at all.
inline constexpr size_t kOracleNodes = 4;
extern const std::vector<std::vector<std::string_view>> kOracleSymbols;

// The values of a statement that is being made: literals, or parameters that are given values at
// the end, for each execution anew.
class OracleDraft {
 public:
  // node: of the symbols that decide; none = nothing has to be decided.
  OracleDraft(TwinRandom& random, OracleForm form, std::optional<size_t> node)
      : random_(random), form_(form), node_(node) {}

  bool decided() const { return node_.has_value(); }
  size_t node() const { return *node_; }
  // It could not be any other.
  void FixNode() { fixed_ = true; }

  // Expressions, with casts that change nothing.
  std::string Symbol();  // any
  std::string Key();     // of the node when there is one
  std::string Prefix();
  std::string Pattern();  // of LIKE
  std::string Symbols();  // an array
  std::string Keys();
  std::string Number();

  OracleStep Finish(const char* kind, std::string sql);

 private:
  enum class What { kSymbol, kKey, kPrefix, kPattern, kSymbols, kKeys, kNumber };
  struct Slot {
    What what;
    uint32_t type;
    bool binary;
  };
  std::string Make(What what);
  std::string Parameter(What what);
  std::string Text(What what);
  std::string RollSymbol(What what);
  OracleValue Roll(const Slot& slot);
  std::string Literal(const std::string& text);

  TwinRandom& random_;
  OracleForm form_;
  std::optional<size_t> node_;
  bool fixed_ = false;
  std::vector<Slot> slots_;
};

}  // namespace pgweir::test
