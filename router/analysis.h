#pragma once

#include <string_view>

#include "router/sql_scanner.h"
#include "router/statement_facts.h"

namespace pgweir::router {

// The facts of `sql`, which `scan` has just scanned. They are made from the scan's normalised form
// alone, so they hold for every text that shares it; only the statements' offsets are this text's.
// Never fails: a text that is not complete, over a bound or not of this grammar is not_understood,
// and then may do anything.
Facts Analyse(std::string_view sql, const SqlScan& scan);

}  // namespace pgweir::router
