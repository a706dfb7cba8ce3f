# First part: 200 clients on one primary that takes 30 connections, without pgweir and through it.
# Sourced by scripts/demo.

readonly clients=200 think_ms=60

# run_sharing NAME CONNINFO
run_sharing() {
  say "$seconds seconds of $clients clients, $1"
  start_load "$1" "$seconds" "$2" --clients $clients --think $think_ms
  finish_load "$1"
}

row() { printf '  %-22s %18s %18s\n' "$@"; }

show_sharing() {
  local key
  run_sharing direct "$(conninfo whole market)"
  run_sharing pgweir "$(conninfo pgweir market_whole)"
  echo
  echo "  $clients clients, each with a pause of $think_ms ms on average between two operations"
  row "" "through pgweir" "direct"
  row "connections" "$pool_size backends" "$max_connections at most"
  row "clients served" "$(figure pgweir served)" "$(figure direct served)"
  row "errors" "$(errors pgweir)" "$(errors direct)"
  row "operations a second" "$(figure pgweir per_second)" "$(figure direct per_second)"
  for key in p50 p95 p99; do
    row "$key, ms" "$(figure pgweir ${key}_ms)" "$(figure direct ${key}_ms)"
  done
  echo
}

# The same questions to pgweir and to the primary, as a user's psql asks them.
answers() {
  PGPASSWORD=$password PGCONNECT_TIMEOUT=10 timeout 60 psql -X -d "$1" 2>&1 <<'SQL' || true
SELECT count(*), sum(quantity), max(price) FROM trades;
SELECT * FROM instruments ORDER BY popularity LIMIT 20;
SELECT * FROM trades WHERE symbol = 'ETHUSDT' ORDER BY trade_id LIMIT 20;
SELECT symbol, count(*), avg(close) FROM candles GROUP BY symbol ORDER BY symbol;
\d trades
BEGIN;
SELECT 1 / 0;
ROLLBACK;
COPY (SELECT * FROM candles WHERE symbol = 'SOLUSDT' ORDER BY opened_at) TO STDOUT;
SQL
}

verify_sharing() {
  local count_trades="SELECT count(*) FROM trades" name
  expect "instruments" "$(sql whole -d market -c "SELECT count(*) FROM instruments")" = 200
  expect "trades that were loaded" \
    "$(sql whole -d market -c "$count_trades WHERE trade_id <= $trades")" -eq $trades
  expect "BTC, ETH, XRP and SOL are traded" "$(sql whole -d market -c \
    "SELECT count(DISTINCT base) FROM instruments JOIN candles USING (symbol)
     WHERE base IN ('BTC', 'ETH', 'XRP', 'SOL')")" = 4
  expect "the replica streams" \
    "$(sql whole -d postgres -c "SELECT state FROM pg_stat_replication")" = streaming
  wait_for_replica whole
  expect "the replica has every trade" "$(sql whole_replica -d market -c "$count_trades")" = \
    "$(sql whole -d market -c "$count_trades")"
  expect "clients served through pgweir" "$(figure pgweir served)" -eq $clients
  expect "errors through pgweir" "$(errors pgweir)" -eq 0
  expect "errors without pgweir" "$(errors direct)" -gt 0
  # Without pgweir's own look at the servers and the catalog.
  expect "backends that pgweir's clients share" "$(sql whole -d postgres -c \
    "SELECT count(*) FROM pg_stat_activity
     WHERE usename = 'app' AND application_name NOT LIKE 'pgweir %'")" -le $pool_size
  for name in pgweir direct; do
    expect "confirmed writes, $name" "$(figure $name writes)" -gt 0
    expect "confirmed writes that are missing, $name" "$(missing_writes $name whole)" = 0
    expect "writes done twice, $name" "$(repeated_writes $name whole)" = 0
  done
  answers "$(conninfo whole market)" >"$dir/direct.answers"
  answers "$(conninfo pgweir market_whole)" >"$dir/pgweir.answers"
  expect "psql as anybody" "$(PGCONNECT_TIMEOUT=10 timeout 60 psql -X -q -A -t -h 127.0.0.1 \
    -p "${port_of[pgweir]}" -c "SELECT current_user" market_whole)" = app
  expect "psql's answers to eight questions, in lines" "$(wc -l <"$dir/direct.answers")" -gt 300
  expect "psql's answers through pgweir" "$(md5sum <"$dir/pgweir.answers")" = \
    "$(md5sum <"$dir/direct.answers")"
  diff "$dir/direct.answers" "$dir/pgweir.answers" | head -n 20 || true
}
