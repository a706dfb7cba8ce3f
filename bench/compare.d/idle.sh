# idle: memory that clients take which have logged in, asked once and say nothing more

# keep_idle TARGET COUNT
keep_idle() {
  local target=$1 count=$2 before memory line keeper
  "$logins" --port "${port[$target]}" --keep 100 </dev/null >/dev/null
  before=$(pss_of "${pid[$target]}")
  coproc KEEP { exec "$logins" --port "${port[$target]}" --keep "$count"; }
  keeper=$KEEP_PID
  if read -r -t 120 line <&"${KEEP[0]:-0}"; then
    sleep 1
    memory=$(($(pss_of "${pid[$target]}") - before))
    add_row idle "$count clients" "$target" "count=$count" "memory=$memory"
  else
    leave_out "$target with $count idle clients" "it failed"
  fi
  kill "$keeper" 2>/dev/null || true
  wait "$keeper" 2>/dev/null || true
}

# A relay and HAProxy need a connection to the server for each client, which PostgreSQL would not
# have: behind them is the echo.
start_idle() {
  case $1 in
    relay) start_echo; trial=true start_bare_relay "${port[echo]}" ;;
    haproxy) start_echo; trial=true start_haproxy "${port[echo]}" ;;
    pgbouncer) start_pgbouncer ;;
    pgweir) start_pgweir pgweir whole ;;
  esac
}

# fits TARGET COUNT
fits() {
  [[ $1 == pg* ]] || (($2 <= $(most_relayed))) && return
  leave_out "$1, $2 clients" "the system's limit of open files is below what they take"
  return 1
}

subject_idle() {
  local count each
  leave_out pgpool "a process for each client"
  for ((round = 1; round <= (rounds < 3 ? rounds : 3); round++)); do
    take_turn
    say "idle: round $round"
    for count in "${idle_clients[@]}"; do
      for each in relay haproxy pgbouncer pgweir; do
        # Each anew: what the clients before have left would be used again.
        ! fits "$each" "$count" || start_idle "$each"
        [[ -z ${pid[$each]:-} ]] || keep_idle "$each" "$count"
        stop_proxies
      done
    done
    end_turn
  done
}
