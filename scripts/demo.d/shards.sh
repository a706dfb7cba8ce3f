# Second part: the market divided by symbol among four shards, each a primary with a replica.
# Sourced by scripts/demo.

readonly shard_trades=200000  # of the whole market's trades, so many go to the shards
declare -A symbols_of=(
  [db_shard_1]='^BTC' [db_shard_2]='^ETH' [db_shard_3]='^XRP' [db_shard_default]='^(?!BTC|ETH|XRP)'
)

create_tables() {
  show tables "The tables, created once, are created on every node:" <<'SQL'
CREATE TABLE instruments (symbol text PRIMARY KEY, base text NOT NULL, quote text NOT NULL,
  popularity integer NOT NULL UNIQUE, start_price numeric(20, 8) NOT NULL);
CREATE TABLE trades (trade_id uuid DEFAULT gen_random_uuid(), symbol text NOT NULL,
  price numeric(20, 8) NOT NULL, quantity numeric(20, 8) NOT NULL, side text NOT NULL,
  traded_at timestamptz NOT NULL, client_order_id text, PRIMARY KEY (symbol, trade_id));
CREATE INDEX trades_symbol_time ON trades (symbol, traded_at);
CREATE TABLE candles (symbol text, opened_at timestamptz, open numeric(20, 8) NOT NULL,
  high numeric(20, 8) NOT NULL, low numeric(20, 8) NOT NULL, close numeric(20, 8) NOT NULL,
  volume numeric(20, 8) NOT NULL, PRIMARY KEY (symbol, opened_at));
SQL
}

# A row that goes astray is refused by the shard's own table.
guard_shard() {
  sql "$1" -d market -c "ALTER TABLE trades ADD CHECK (symbol ~ '${symbols_of[$1]}')" \
    -c "ALTER TABLE candles ADD CHECK (symbol ~ '${symbols_of[$1]}')"
}

# copy_rows SHARD TABLE COLUMNS CONDITION: from the whole market, by a COPY that is steered.
copy_rows() {
  sql whole -d market -c "COPY (SELECT $3 FROM $2 WHERE $4) TO STDOUT" |
    through market -q -c "COPY $2 ($3) FROM STDIN /* pgweir: shard=$1 */"
}

load_shard() {
  copy_rows "$1" instruments "symbol, base, quote, popularity, start_price" true
  copy_rows "$1" trades "symbol, price, quantity, side, traded_at" \
    "symbol ~ '${symbols_of[$1]}' AND trade_id <= $shard_trades"
  copy_rows "$1" candles "symbol, opened_at, open, high, low, close, volume" \
    "symbol ~ '${symbols_of[$1]}'"
  sql "$1" -d market -c "VACUUM ANALYZE"
}

load_shards() {
  local name
  say "loading $shard_trades trades and the candles, on each shard by COPY … /* pgweir: shard=… */"
  for name in "${shards[@]}"; do
    guard_shard "$name"
    load_shard "$name"
  done
  for name in "${shards[@]}"; do wait_for_replica "$name"; done
}

show_statements() {
  show writes "A row is written where its symbol lies; cluster_name is the server that answers:" <<'SQL'
INSERT INTO trades (symbol, price, quantity, side, traded_at)
  VALUES ('BTCUSDT', 94000, 0.5, 'buy', now())
  RETURNING current_setting('cluster_name') AS server, symbol, quantity;
INSERT INTO trades (symbol, price, quantity, side, traded_at)
  VALUES ('ETHUSDT', 3400, 2, 'sell', now())
  RETURNING current_setting('cluster_name') AS server, symbol, quantity;
INSERT INTO trades (symbol, price, quantity, side, traded_at)
  VALUES ('SOLUSDT', 190, 9, 'sell', now())
  RETURNING current_setting('cluster_name') AS server, symbol, quantity;
SQL
  show reads "What belongs to one node is any SQL: joins, ORDER BY, LIMIT, window functions:" <<'SQL'
SELECT current_setting('cluster_name') AS server, symbol, base, price,
  rank() OVER (ORDER BY price DESC) FROM trades JOIN instruments USING (symbol)
  WHERE symbol = 'XRPUSDT' ORDER BY price DESC LIMIT 3;
SELECT current_setting('cluster_name') AS server, count(*) FROM candles WHERE symbol LIKE 'BTC%';
SQL
  show several "A read of several nodes has their rows one after the other:" <<'SQL'
SELECT current_setting('cluster_name') AS server, symbol, count(*) FROM candles
  WHERE symbol IN ('BTCUSDT', 'ETHUSDT', 'XRPUSDT', 'SOLUSDT') GROUP BY symbol;
SQL
  show transaction "A transaction is on the node of its first statement:" <<'SQL'
BEGIN;
INSERT INTO trades (symbol, price, quantity, side, traded_at, client_order_id)
  VALUES ('ETHUSDT', 3401, 1, 'buy', now(), 'demo-transaction');
SELECT current_setting('cluster_name') AS server, symbol, price, client_order_id FROM trades
  WHERE symbol = 'ETHUSDT' AND client_order_id = 'demo-transaction';
COMMIT;
SQL
  show refused "What can't be answered as one server would is refused, and says what to do:" <<'SQL'
\set VERBOSITY verbose
\set SHOW_CONTEXT never
SELECT count(*) FROM trades;
UPDATE instruments SET start_price = 95000 WHERE symbol = 'BTCUSDT';
SQL
  show steered "A comment steers:" <<'SQL'
SELECT current_setting('cluster_name') AS server, count(*) FROM trades
  /* pgweir: shard=db_shard_3 */;
SELECT current_setting('cluster_name') AS server, count(*) FROM instruments
  /* pgweir: symbol=ETHUSDT, role=replica */;
SQL
}

show_split() {
  show split "Reads go to the replica, behind a session's own write only once it has that:" <<'SQL'
SELECT current_setting('cluster_name') AS server, count(*) FROM trades WHERE symbol = 'BTCUSDT';
UPDATE trades SET client_order_id = 'demo-split'
  WHERE symbol = 'BTCUSDT' AND quantity = 0.5 AND price = 94000
  RETURNING current_setting('cluster_name') AS server, client_order_id;
SELECT current_setting('cluster_name') AS server, count(*) FROM trades
  WHERE symbol = 'BTCUSDT' AND client_order_id = 'demo-split';
\! sleep 2; echo '-- two seconds later'
SELECT current_setting('cluster_name') AS server, count(*) FROM trades
  WHERE symbol = 'BTCUSDT' AND client_order_id = 'demo-split';
SQL
}

show_nodes() {
  printf '\n  SHOW NODES on the console:\n\n'
  console -c "SHOW NODES" | tee "$dir/$1.nodes" | indented
}

show_shards() {
  say "the database market: four shards"
  indented <"$dir/shards.toml"
  create_tables
  load_shards
  show_statements
  show_split
  show_nodes shards
}

# candles_by_symbol DATABASE: sorted here, since a read of several nodes is not.
candles_by_symbol() {
  through "$1" -q -A -t -c \
    "SELECT symbol, count(*), sum(volume), max(high) FROM candles GROUP BY symbol" | sort
}

verify_shards() {
  local name column
  expect "statements that created tables" "$(shown tables '^CREATE (TABLE|INDEX)$')" = 4
  for name in "${shards[@]}"; do
    expect "instruments on $name" \
      "$(sql "${primary_of[$name]}" -d market -c "SELECT count(*) FROM instruments")" = 200
    expect "candles of other shards' symbols on $name" "$(sql "${primary_of[$name]}" -d market -c \
      "SELECT count(*) FROM candles WHERE symbol !~ '${symbols_of[$name]}'")" = 0
  done
  candles_by_symbol market_whole >"$dir/whole.candles"
  candles_by_symbol market >"$dir/shards.candles"
  expect "symbols with candles" "$(wc -l <"$dir/whole.candles")" -eq 200
  expect "candles on the shards" "$(md5sum <"$dir/shards.candles")" = \
    "$(md5sum <"$dir/whole.candles")"

  expect "a write to BTCUSDT" "$(shown writes '^ db_shard_1 +\| BTCUSDT')" = 1
  expect "a write to ETHUSDT" "$(shown writes '^ db_shard_2 +\| ETHUSDT')" = 1
  expect "a write to SOLUSDT" "$(shown writes '^ db_shard_default +\| SOLUSDT')" = 1
  expect "a read of XRPUSDT" "$(shown reads '^ db_shard_3(_replica)? +\| XRPUSDT')" = 3
  expect "a read of BTC*" "$(shown reads '^ db_shard_1(_replica)? +\| +2880$')" = 1
  column='(_replica)? +\|'
  expect "a read of several shards" "$(shown several \
    "_1$column BTCUSDT|_2$column ETHUSDT|_3$column XRPUSDT|_default$column SOLUSDT")" = 4
  expect "a transaction reads its own write" \
    "$(shown transaction '^ db_shard_2 +\| ETHUSDT.*demo-transaction')" = 1
  expect "a transaction's COMMIT" "$(shown transaction '^COMMIT$')" = 1
  expect "refused statements" "$(shown refused '^ERROR:  0A000: ')" = 2
  expect "hints for them" "$(shown refused '^HINT: ')" = 2
  expect "a read steered to a shard" "$(shown steered '^ db_shard_3(_replica)? ')" = 1
  expect "a read steered to a replica" "$(shown steered '^ db_shard_2_replica ')" = 1
  # The second read may find the replica up to date already.
  expect "reads by a replica around a write" "$(shown split '^ db_shard_1_replica ')" -ge 2
  expect "reads that see the write" "$(shown split '^ db_shard_1(_replica)? +\| +1$')" = 2
  expect "servers that are up" "$(grep -c ' up ' "$dir/shards.nodes")" -eq 10
}
