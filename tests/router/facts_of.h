#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "router/analysis.h"
#include "router/sql_scanner.h"

namespace pgweir::router::test {

inline Facts FactsOf(std::string_view sql) {
  SqlScan scan;
  scan.Scan(sql);
  return Analyse(sql, scan);
}

// name schema.other
inline std::string Joined(const std::vector<QualifiedName>& names) {
  std::string text;
  for (const QualifiedName& name : names) {
    if (!text.empty()) text += ' ';
    if (!name.schema.empty()) text += name.schema + '.';
    text += name.name;
  }
  return text;
}

// Relations of the first statement; what is written has a ! behind it, an alias follows a /.
inline std::string Relations(const Facts& facts) {
  std::string text;
  for (const Relation& relation : facts.statements.at(0).relations) {
    if (!text.empty()) text += ' ';
    text += Joined({relation.name});
    if (!relation.alias.empty()) text += '/' + relation.alias;
    if (relation.written) text += '!';
  }
  return text;
}

}  // namespace pgweir::router::test
