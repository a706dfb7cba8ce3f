#include "bench/market.h"

#include <libpq-fe.h>

#include <cstdio>

#include "fmt/format.h"

namespace pgweir::bench {

std::vector<Instrument> ReadInstruments(const std::string& conninfo, const std::string& symbols) {
  std::vector<Instrument> instruments;
  PGconn* connection = PQconnectdb(conninfo.c_str());
  const char* const values[] = {symbols.c_str()};
  PGresult* result = PQexecParams(
      connection,
      "SELECT symbol, start_price FROM instruments WHERE symbol ~ $1 ORDER BY popularity", 1,
      nullptr, values, nullptr, nullptr, 0);
  if (PQresultStatus(result) != PGRES_TUPLES_OK) {
    fmt::print(stderr, "reading the instruments: {}", PQerrorMessage(connection));
  } else if (PQntuples(result) == 0) {
    fmt::print(stderr, "no instruments\n");
  }
  for (int row = 0; row < PQntuples(result); ++row) {
    instruments.push_back({PQgetvalue(result, row, 0), PQgetvalue(result, row, 1)});
  }
  PQclear(result);
  PQfinish(connection);
  return instruments;
}

std::discrete_distribution<size_t> Popularity(size_t instruments) {
  std::vector<double> weights(instruments);
  for (size_t i = 0; i < instruments; ++i) weights[i] = 1.0 / static_cast<double>(i + 1);
  return {weights.begin(), weights.end()};
}

}  // namespace pgweir::bench
