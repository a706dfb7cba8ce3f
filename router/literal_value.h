#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "router/sql_scanner.h"
#include "router/statement_facts.h"

namespace pgweir::router {

// What a literal says, without its quotes and escapes; a number as it is written. Nothing when the
// server would refuse it, or when an escape makes a character whose bytes depend on the encoding.
std::optional<std::string> LiteralValue(std::string_view sql, const Literal& literal);

// The setting's name in lower case. "" when it can't be told: then it may be any. `scan` is of
// `sql`, which need not be the text that the facts were made from.
std::string SettingName(const SettingEffect& setting, std::string_view sql, const SqlScan& scan);

}  // namespace pgweir::router
