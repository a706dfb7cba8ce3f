# distinct: pgbench -S through a pgweir that has just begun and one that has seen a million different statements

# With the first second of load behind both.
subject_distinct() {
  local name loads=() each protocol
  for each in "${wide_clients[@]}"; do
    for protocol in "${protocols[@]}"; do
      loads+=("$protocol, $each clients: -S -M $protocol -c $each")
    done
  done
  start_pgweir fresh whole
  start_pgweir seasoned whole
  for name in "${targets[@]}"; do run_pgbench "${port[$name]}" 1 -S -c 16 >/dev/null; done
  take_turn
  say "distinct: sending a million different statements"
  printf '\\set n random(1, 1000000000)\nSELECT 1 AS c:n;\n' >"$work/distinct.sql"
  timeout 600 pgbench -h 127.0.0.1 -p "${port[seasoned]}" -U postgres -n -c 8 -t 125000 \
    -f "$work/distinct.sql" postgres >"$work/distinct.log" 2>&1 ||
    leave_out "a part of the million statements" "$(end_of "$work/distinct.log")"
  round=0
  for name in "${targets[@]}"; do
    add_row distinct "memory" "$name" count=1 "memory=$(pss_of "${pid[$name]}")"
  done
  run_rounds distinct by_pgbench "${loads[@]}"
}
