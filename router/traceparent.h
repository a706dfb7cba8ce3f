#pragma once

#include <string_view>

#include "router/sql_scanner.h"

namespace pgweir::router {

// The trace that a statement belongs to, by a comment as sqlcommenter writes it, of the text that
// `scan` is of: /*…,traceparent='00-…-…-01'*/. "" when there is none that is as W3C's Trace Context
// has it, section 3.2.
std::string_view TraceparentOf(std::string_view sql, const SqlScan& scan);

// Whether `sql` is worth its scan: it may have one in a comment.
bool MayHaveTraceparent(std::string_view sql);

// Whether `text` is one.
bool IsTraceparent(std::string_view text);

}  // namespace pgweir::router
