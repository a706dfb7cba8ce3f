#pragma once

#include <gtest/gtest.h>

#include <string>

#include "router/catalog_queries.h"
#include "tests/support/pq.h"

namespace pgweir::router::test {

// What a server answers to one query after the other, of which `text` gives each by its number.
template <class Rows, class Text>
Rows RowsOfServer(const std::string& conninfo, Text text) {
  const pgweir::test::Connection connection(conninfo);
  Rows rows;
  for (size_t query = 0; query < rows.size(); ++query) {
    const auto result = connection.Exec(text(query));
    EXPECT_TRUE(result.ok()) << query << ": " << result.message();
    for (int row = 0; row < result.rows(); ++row) {
      CatalogRow& values = rows[query].emplace_back();
      for (int column = 0; column < PQnfields(result.get()); ++column) {
        values.push_back(result.Value(row, column));
      }
    }
  }
  return rows;
}

inline CatalogRows CatalogRowsOf(const std::string& conninfo) {
  return RowsOfServer<CatalogRows>(
      conninfo, [](size_t i) { return CatalogQueryText(static_cast<CatalogQuery>(i)); });
}

}  // namespace pgweir::router::test
