# results: answers of 10 MB, four clients, and COPY out of as much, two; figures a gigabyte

# A row of 1000 bytes takes 11 more in a DataRow, and 6 in a CopyData.
by_large_results() { by_pgbench "$@" | in_units 0.01011; }

by_copies() {  # TARGET COPIES
  local start=$EPOCHREALTIME clients=() each
  for _ in 1 2; do
    for ((each = 0; each < $2; ++each)); do echo 'COPY wide TO STDOUT;'; done |
      timeout 60 psql -X -q -h 127.0.0.1 -p "${port[$1]}" -U postgres -v ON_ERROR_STOP=1 postgres \
        >/dev/null 2>&1 &
    clients+=($!)
  done
  for each in "${clients[@]}"; do wait "$each" || return 1; done
  awk -v n=$((2 * $2)) -v start="$start" -v end="$EPOCHREALTIME" \
    'BEGIN { gigabytes = n * 0.01006; print gigabytes, gigabytes / (end - start) }'
}

by_either() {
  if [[ $2 == copies ]]; then by_copies "$1" "$3"; else by_large_results "$@"; fi
}

subject_results() {
  echo 'SELECT line FROM wide;' >"$work/wide.sql"
  psql -X -q -h 127.0.0.1 -p "$postgres_port" -U postgres postgres <<'SQL'
CREATE TABLE wide AS SELECT repeat('x', 1000) AS line FROM generate_series(1, 10000);
VACUUM ANALYZE wide;
SQL
  use_direct
  start_bare_relay
  start_haproxy
  start_pgbouncer
  start_pgpool 20
  start_pgweir pgweir whole
  run_rounds results by_either "10 MB results: -f $work/wide.sql -c 4" \
    "COPY out: copies $((seconds * 20))"
}
