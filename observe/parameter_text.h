#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "observe/statement_record.h"

namespace pgweir::observe {

// The value of a parameter that is not null as its type's output function would write it: of the
// binary format bool, int2, int4, int8, oid, float4, float8, numeric, text and its kin, bytea,
// uuid, date, timestamp, timestamptz (in UTC), json and jsonb. What is of another type, or is not
// as its type has it, becomes bytea's \x….
//
// Only the first `max` bytes of the result matter: it may be cut anywhere behind them. It is a view
// of the parameter or of `scratch`, whose memory is used again.
std::string_view ParameterText(const StatementParameter& parameter, size_t max,
                               std::string& scratch);

}  // namespace pgweir::observe
