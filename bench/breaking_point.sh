# How bench/breaking-point runs and watches its phases. Sourced by it, never run.

readonly large_pool=10000 grace=10
python=/usr/bin/python3  # Debian's, which has its packages
pgweir_port=0 pgweir_pid=0 watch_pid= work_ms=0 phases_run=0

tables() { "$python" -B "$root/bench/users_tables.py" "$1" "$work/rows"; }

# As the superuser, for whom PostgreSQL reserves connections.
market_sql() {
  timeout 300 psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$work" -p "$postgres_port" -U postgres "$@"
}

# Three connections are reserved for superusers, and one is the watch's.
start_market() {
  say "starting PostgreSQL with $usable connections for applications, and $trades trades"
  postgres_port=$(free_port 5500)
  init_server "$work/data"
  echo "host all all 127.0.0.1/32 trust" >"$work/data/pg_hba.conf"
  echo "local all all trust" >>"$work/data/pg_hba.conf"
  start_server postgres_pid "$work/data" "$postgres_port" "$work" max_wal_size=4GB \
    shared_buffers=256MB superuser_reserved_connections=3 max_connections=$((usable + 4))
  market_sql -d postgres -c "CREATE ROLE app LOGIN" -c "CREATE DATABASE market OWNER app"
  market_sql -d market -v trades="$trades" <"$root/scripts/market.sql"
  market_sql -d market -c CHECKPOINT
  start_watch
}

start_pgweir() {
  say "starting pgweir with $usable backends"
  pgweir_port=$(free_port 0)
  cat >"$work/pgweir.toml" <<TOML
[listen]
address = "127.0.0.1"
port = $pgweir_port
workers = 2
max_clients = 30000

[auth]
method = "trust"

[pool]
mode = "transaction"
size = $usable

[databases.market]
primary = "host=127.0.0.1 port=$postgres_port dbname=market user=app"
TOML
  start_proxy pgweir "$pgweir_port" -- "$pgweir" run --config "$work/pgweir.toml" ||
    die "pgweir: $(tail -n 5 "$work/pgweir.log")"
  pgweir_pid=$proxy_pid
  stop_child "$watch_pid" INT 5
  start_watch
}

start_watch() {
  : >>"$work/drivers"
  start_child watch_pid "$work/watch.log" -- "$python" -B "$root/bench/users_watch.py" "$work" \
    "$postgres_port" "$postgres_pid" "$pgweir_port" "$pgweir_pid"
  children+=("$watch_pid")
}

# start_drivers TARGET SECONDS OPTION...: the application's processes; their ids to drivers.
start_drivers() {
  local target=$1 seconds=$2 parts=1 port=$postgres_port pool=10:20 part driver
  shift 2
  [[ $target == direct ]] || parts=2 port=$pgweir_port pool=$large_pool:0
  drivers=()
  rm -f "$work"/driver-*.out "$work"/latencies-*
  date +%s.%N >"$work/began"
  for ((part = 1; part <= parts; part++)); do
    start_child driver "$work/driver-$part.out" -- timeout $((seconds + grace + 30)) "$users_binary" \
      --conninfo "hostaddr=127.0.0.1 port=$port dbname=market user=app sslmode=disable gssencmode=disable" \
      --pool "$pool:$pool_timeout" --grace $grace --seconds "$seconds" --part "$part/$parts" \
      --run "$target-$phases_run" --seed $phases_run --latencies "$work/latencies-$part" \
      --confirmed "$work/confirmed-$target-$phases_run-$part" "$@"
    drivers+=("$driver")
    children+=("$driver")
  done
  echo "${drivers[@]}" >"$work/drivers"
}

# show_progress WHAT SECONDS: on a terminal, what the drivers have said last.
show_progress() {
  local file
  for file in "$work"/driver-*.out; do
    sed -n 's/^progress //p' "$file" | tail -n 1
  done | awk -v what="$1" -v of="$2" '
    { for (i = 1; i <= NF; i++) { split($i, pair, "="); sum[pair[1]] += pair[2] } }
    END { printf "\r\033[K  %s: %d of %d s, %d due, %d done, %d errors", what,
                 NR ? sum["second"] / NR : 0, of, sum["due"], sum["done"], sum["errors"] }'
}

# finish_drivers WHAT SECONDS
finish_drivers() {
  local driver
  for driver in "${drivers[@]}"; do
    while kill -0 "$driver" 2>/dev/null; do
      [[ ! -t 1 ]] || show_progress "$@"
      sleep 0.5
    done
    wait "$driver" || die "a driver did not come to its end: $(tail -n 3 "$work"/driver-*.out)"
    unset 'children[-1]'
  done
  [[ ! -t 1 ]] || printf '\r\033[K'
  : >"$work/drivers"
}

# run_phase SCENARIO TARGET LABEL RAMP SECONDS PER_SECOND OPTION...
run_phase() {
  local scenario=$1 target=$2 label=$3 ramp=$4 seconds=$5 per_second=$6
  phases_run=$((phases_run + 1))
  start_drivers "$target" "$seconds" --work "$work_ms" "${@:7}"
  finish_drivers "$scenario $target, $label" "$seconds"
  kill -0 "$watch_pid" || die "nobody watches: $(tail -n 3 "$work/watch.log")"
  "$python" -B "$root/bench/users_phase.py" "$work" "$ramp" kind=phase scenario="$scenario" \
    target="$target" phase="$label" seconds="$seconds" offered="$per_second" >>"$work/rows"
  printf '  %-7s %-20s %s\n' "$target" "$label" "$(tables line)"
}

# How long a request must work, so that each connection carries one a second.
calibrate() {
  say "measuring the two transactions"
  start_drivers direct 3 --rate 20
  finish_drivers "measuring" 3
  local served
  served=$(sed -n 's/.* served_ms=\([0-9.]*\).*/\1/p' "$work/driver-1.out")
  work_ms=$(awk -v served="$served" 'BEGIN { printf "%.0f", 1000 - served }')
  say "they take $served ms together: a request works $work_ms ms between them"
  printf '{"kind": "setup", "cores": %d, "file_limit": %d, "backends": %d, "work_ms": %d, %s}\n' \
    "$(nproc)" "$(ulimit -n)" $usable "$work_ms" \
    "\"command\": \"$command\", \"date\": \"$(date -I)\", \"load\": $load_before" >>"$work/rows"
}

# What was confirmed must be there, once.
look_for_writes() {
  local target file
  for target in direct pgweir; do
    for file in "$work/confirmed-$target"-*; do
      [[ ! -e $file ]] || cat "$file"
    done >"$work/confirmed"
    market_sql -d market <<SQL >>"$work/rows"
CREATE TEMP TABLE confirmed (client_order_id text);
\\copy confirmed FROM '$work/confirmed'
SELECT json_build_object('kind', 'writes', 'target', '$target', 'confirmed', count(*),
  'missing', count(*) FILTER (WHERE trade_id IS NULL),
  'twice', count(trade_id) - count(DISTINCT trades.client_order_id))
FROM confirmed LEFT JOIN trades USING (client_order_id);
SQL
  done
}
