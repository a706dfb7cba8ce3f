#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <vector>

// What loads do with the demo's market data (scripts/market.sql).

namespace pgweir::bench {

inline constexpr const char* kNewestTrades =
    "SELECT trade_id, price, quantity, side, traded_at FROM trades"
    " WHERE symbol = $1 ORDER BY traded_at DESC LIMIT 50";
inline constexpr const char* kInsertTrade =
    "INSERT INTO trades (symbol, price, quantity, side, traded_at, client_order_id)"
    " VALUES ($1, $2::numeric, $3::numeric, $4, now(), $5)";

struct Instrument {
  std::string symbol;
  std::string price;
};

// Those whose symbol matches, by PostgreSQL's ~, in order of popularity. Empty when they can't be
// read; the reason goes to stderr.
std::vector<Instrument> ReadInstruments(const std::string& conninfo, const std::string& symbols);

// Zipf's law over that order.
std::discrete_distribution<size_t> Popularity(size_t instruments);

}  // namespace pgweir::bench
