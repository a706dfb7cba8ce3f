# Fourth part: dashboards that look at the newest trades and candles of 200 symbols while trading
# goes on, without the query cache and with it. Sourced by scripts/demo.

readonly lookers=40 traders=4

# run_dashboard NAME OPTIONS: a load of lookers with these settings, beside one of traders.
run_dashboard() {
  say "$seconds seconds of $lookers dashboards beside $traders traders, $1"
  start_load "trading_$1" "$seconds" "$(conninfo pgweir market)" \
    --clients $traders --think 80 --writes 100
  start_load "$1" "$seconds" "$(conninfo pgweir market) options='$2'" \
    --clients $lookers --think 10 --writes 0 --newest
  finish_load "$1"
  finish_load "trading_$1"
}

# cache_count COLUMN: of SHOW CACHE, the only row.
cache_count() { console -A -F ' ' -c "SHOW CACHE" | awk -v name="$1" '
  NR == 1 { for (i = 1; i <= NF; ++i) if ($i == name) column = i }
  NR == 2 { print $column }'; }

show_dashboard() {
  local hits misses
  run_dashboard uncached "-c pgweir.cache=off"
  hits=$(cache_count hits) misses=$(cache_count misses)
  run_dashboard cached "-c pgweir.cache=30s"
  hits=$(($(cache_count hits) - hits)) misses=$(($(cache_count misses) - misses))
  hit_rate=$(awk -v hits=$hits -v misses=$misses 'BEGIN { printf "%.1f", 100 * hits / (hits + misses) }')
  echo
  echo "  $lookers dashboards, popularity by Zipf's law; what is traded is outdated at once"
  row "" "with the cache" "without"
  row "reads a second" "$(figure cached per_second)" "$(figure uncached per_second)"
  row "p50, ms" "$(figure cached p50_ms)" "$(figure uncached p50_ms)"
  row "p95, ms" "$(figure cached p95_ms)" "$(figure uncached p95_ms)"
  row "hits" "$hit_rate %" ""
  row "trades written beside" "$(figure trading_cached writes)" "$(figure trading_uncached writes)"
  echo
}

verify_dashboard() {
  expect "reads with the cache that failed" "$(errors cached)" -eq 0
  expect "hits in a hundred reads" "${hit_rate%.*}" -ge 85
  expect "trades beside them" "$(figure trading_cached writes)" -gt 20
}
