#pragma once

#include <cstdint>
#include <string>
#include <vector>

// What the oracle asks of one server with all the rows, and of pgweir on four nodes.

namespace pgweir::test {

enum class OracleForm { kSimple, kExtended, kPrepared };

// Of a parameter.
struct OracleValue {
  bool null = false;
  bool binary = false;
  std::string bytes;
  std::string shown;  // as a literal
};

struct OracleStep {
  const char* kind = "";
  OracleForm form = OracleForm::kSimple;
  std::string sql = {};
  std::vector<uint32_t> types = {};  // of the parameters; 0 = the server finds out
  std::vector<std::vector<OracleValue>> executions = {};  // several only of kPrepared
  bool binary_result = false;
  bool ordered = false;  // its ORDER BY leaves nothing to chance
  // Each place where it reads or writes a sharded table is restricted to symbols of one node by
  // constants or parameters, and so is the transaction that it is part of: it has to be answered.
  bool decided = false;
};

// One statement, or a transaction.
using OracleUnit = std::vector<OracleStep>;
using OracleScript = std::vector<OracleUnit>;

// As SQL, to be read.
std::string ShowStep(const OracleStep& step);
std::string ShowScript(const OracleScript& script);

// A symbol as a literal.
std::string Quoted(std::string_view text);

}  // namespace pgweir::test
