#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "proxy/edited_text.h"
#include "router/drawn_numbers.h"
#include "router/sql_scanner.h"
#include "router/statement_facts.h"

namespace pgweir::proxy {

// An INSERT whose numbers are drawn for it, as servers know it: each number is a parameter behind
// the client's own, of which the client learns nothing.
struct NumberedStatement {
  router::DrawnNumbersRef drawn;
  std::string text;
  std::vector<TextShift> shifts;
  int own = 0;  // parameters of the client's
};
using NumberedStatementRef = std::shared_ptr<const NumberedStatement>;

// The parameters of a statement: those of its text, and those that Parse declares with `types`.
size_t ParametersOf(std::string_view types, const router::Facts& facts);
// A ParameterDescription of more is not seen whole.
inline constexpr size_t kMostParameters = 12'000;

// Of a text that was just scanned. Null when its numbers have no place in it.
NumberedStatementRef MakeNumbered(router::DrawnNumbersRef drawn, std::string_view text,
                                  std::string_view types, const router::Facts& facts,
                                  const router::SqlScan& scan);

// Numbers for what one request carries out.
struct NumbersGiven {
  struct One {
    router::DrawnNumbersRef drawn;
    size_t statement = 0;  // of a text, which one
    std::vector<std::string> numbers;
  };
  std::vector<One> statements;  // in order
  bool by_server = false;       // it goes where they come from: the server draws them itself
};

// `body`, a Bind's, for the statement under its name on the server, which draws its numbers itself
// if there are none here. Fails where the client's parameters are not what it has prepared.
Status AppendNumberedBind(std::string& out, std::string_view body, std::string_view server_name,
                          const NumberedStatement& statement,
                          const std::vector<std::string>* numbers);

// A ParameterDescription that tells the client's own parameters only, of one with this body;
// nothing when that lacks some.
void AppendOwnDescription(std::string& out, std::string_view body, int own);

}  // namespace pgweir::proxy
