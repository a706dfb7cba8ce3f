# What the measuring scripts beside this file share. Sourced after scripts/lib.sh and
# scripts/postgres.sh, never run.

work=          # a temporary folder
postgres_pid=  # set by start_database, as postgres_port
children=()    # the proxies

# However the script ends: nothing that it started is left.
clean_up() {
  local status=$? pid
  trap '' INT TERM HUP
  for pid in "${children[@]}"; do stop_child "$pid" INT 5; done
  [[ -z $postgres_pid ]] || stop_child "$postgres_pid" QUIT 10
  [[ -z $work ]] || rm -rf "$work"
  exit "$status"
}

make_work() {
  trap clean_up EXIT
  trap 'exit 130' INT TERM HUP
  work=$(mktemp -d "${TMPDIR:-/tmp}/pgweir-bench.XXXXXX")
  chmod 700 "$work"
  ((EUID != 0)) || chown postgres: "$work"
}

# start_database [SETTING=VALUE...]: a server that trusts the loopback address, and pgbench's tables.
start_database() {
  say "starting PostgreSQL"
  postgres_port=$(free_port 5500)
  init_server "$work/data"
  echo "host all all 127.0.0.1/32 trust" >"$work/data/pg_hba.conf"
  start_server postgres_pid "$work/data" "$postgres_port" "$work" synchronous_commit=off \
    full_page_writes=off autovacuum=off shared_buffers=256MB max_connections=400 "$@"
  local output
  output=$(timeout 120 pgbench -h 127.0.0.1 -p "$postgres_port" -U postgres -i -s 10 postgres 2>&1) ||
    die "pgbench -i: $output"
}

# start_proxy NAME PORT [SETPRIV_OPTION...] -- COMMAND...: sets proxy_pid; false when it doesn't listen
# in ten seconds. Its output goes to NAME.log.
start_proxy() {
  local name=$1 port=$2
  start_child proxy_pid "$work/$name.log" "${@:3}"
  children+=("$proxy_pid")
  for _ in {1..100}; do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return 0; fi
    kill -0 "$proxy_pid" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}

# start_relay REACTOR PORT: in front of the database.
start_relay() {
  start_proxy "relay-$1" "$2" -- "$relay" --reactor "$1" --port "$2" \
    --server "127.0.0.1:$postgres_port" || die "the relay: $(tail -n 5 "$work/relay-$1.log")"
}

# family PID: it and its child processes, one a line.
family() {
  echo "$1"
  pgrep -P "$1" || true
}

# cpu_of PID: nanoseconds on a core, user ticks and system ticks, of all its threads and its child
# processes so far.
cpu_of() {
  local folders tasks=() folder
  mapfile -t folders < <(family "$1" | sed 's|^|/proc/|')
  for folder in "${folders[@]}"; do tasks+=("$folder"/task/*/schedstat); done
  cat "${tasks[@]}" 2>/dev/null |
    awk '{ s += $1 } END { printf "%.0f ", s }'
  cat "${folders[@]/%//stat}" 2>/dev/null |
    awk '{ sub(/^.*\) /, ""); user += $12; kernel += $13 } END { print user, kernel }'
}

# pss_of PID: bytes of memory, its child processes' too; what is shared counts once among all.
pss_of() {
  local folders
  mapfile -t folders < <(family "$1" | sed 's|^|/proc/|')
  cat "${folders[@]/%//smaps_rollup}" 2>/dev/null |
    awk '/^Pss:/ { s += $2 } END { printf "%.0f\n", s * 1024 }'
}

# run_pgbench PORT SECONDS OPTION...: prints the number of transactions and their rate.
run_pgbench() {
  local output
  output=$(timeout $(($2 + 30)) pgbench -h 127.0.0.1 -p "$1" -U postgres -n -T "$2" "${@:3}" \
    postgres 2>&1) || die "pgbench ${*:3}: $(tail -n 5 <<<"$output")"
  awk '/transactions actually processed/ { n = $NF } /^tps/ { r = $3 } END { print n, r }' \
    <<<"$output"
}

# measure LOAD TARGET PID PORT SECONDS: appends to the rows LOAD's label, TARGET, transactions, rate,
# nanoseconds, user ticks and system ticks. A LOAD is "LABEL: pgbench's options"; PID is 0 when there
# is no proxy to account for.
measure() {
  local load=$1 target=$2 pid=$3 port=$4 seconds=$5 options result before=(0 0 0) after=(0 0 0)
  read -ra options <<<"${load#*:}"
  [[ $pid == 0 ]] || read -ra before <<<"$(cpu_of "$pid")"
  result=$(run_pgbench "$port" "$seconds" "${options[@]}")
  [[ $pid == 0 ]] || read -ra after <<<"$(cpu_of "$pid")"
  printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "${load%%:*}" "$target" "${result% *}" "${result#* }" \
    $((after[0] - before[0])) $((after[1] - before[1])) $((after[2] - before[2])) >>"$work/rows"
}

# rotated BY NAME...: the names, beginning with another one each round, since a run feels the one
# before it.
rotated() {
  local by=$1 names=("${@:2}")
  by=$((by % ${#names[@]}))
  echo "${names[@]:by}" "${names[@]:0:by}"
}
