#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "router/sql_scanner.h"

namespace pgweir::proxy {

// Where SQL names a prepared statement: PREPARE x, EXECUTE x, DEALLOCATE x.
struct PreparedName {
  enum class Command : uint8_t { kPrepare, kExecute, kDeallocate } command;
  router::Span span;  // of the name, in the text
  std::string name;   // as the server knows it
};

// All of them, in order. The words may mean something else (GRANT EXECUTE ON …): the caller knows
// from the grammar that one of the commands is there, and looks the names up.
std::vector<PreparedName> FindPreparedNames(std::string_view sql, const router::SqlScan& scan);

}  // namespace pgweir::proxy
