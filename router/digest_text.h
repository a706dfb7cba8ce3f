#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "router/sql_scanner.h"

namespace pgweir::router {

// What a text has in common with those that people call the same statement, for reports and for
// rules by digest. From the scan's normalised form, and further:
//
// - literals and parameters, with their signs, are $1, $2 … in their order;
// - what IN (…) and ARRAY[…] list is its first element and "...", if all are constants;
// - the rows of VALUES are the first and ", ...", but for rows with a query of their own;
// - what SET sets is $1, and so are the names of savepoints, of cursors and of what is deallocated;
// - spaces stand where they are read best, whatever the text has; semicolons at its end go.
//
// It is nothing that a server would run. A text that could not be scanned ends in " ...".
class DigestText {
 public:
  // Of what `scan` has just scanned. Valid until the next call. Linear in the number of tokens.
  std::string_view Make(const SqlScan& scan);

 private:
  // A list of which one part was put out: behind it come the dots, then the text from `resume` on.
  struct Fold {
    size_t at;
    size_t resume;
    size_t depth;  // of the parentheses around its elements
  };

  void MatchBrackets();
  bool EndsFold(size_t at) const { return !folds_.empty() && folds_.back().at == at; }
  size_t Step(size_t at);
  size_t BeginStatement(size_t at);
  size_t BeginList(size_t at);
  size_t BeginRows(size_t at);
  size_t EndOfStatement(size_t at) const;

  // Each returns where what begins there ends; 0 when it isn't one.
  size_t Constant(size_t at, int depth) const;
  size_t ConstantList(size_t open, int depth, size_t& first_end) const;
  size_t TypeName(size_t at) const;

  bool IsLiteral(size_t at) const;
  bool IsConstantWord(size_t at) const;
  bool IsSign(size_t at) const;
  bool IsName(size_t at) const;
  bool Is(size_t at, std::string_view text) const {
    return at < texts_.size() && texts_[at] == text;
  }

  void Put(std::string_view text);
  void PutConstant();
  bool NeedsSpace(std::string_view text) const;

  std::span<const Token> tokens_;
  std::vector<std::string_view> texts_;  // of the tokens, folded; "" of a literal or parameter
  std::vector<uint32_t> closing_;        // of ( and [ the token that closes it; 0 = none
  std::vector<uint32_t> queries_;        // how many SELECT come before each token
  std::vector<Fold> folds_;              // the innermost last
  std::string out_;
  std::string_view last_;  // what was put last
  size_t depth_ = 0;
  int constants_ = 0;
  bool semicolon_ = false;  // is due before what follows
};

}  // namespace pgweir::router
