# cache: look-ups of a thousand rows, passed on and answered from a cache, beside a bare echo

subject_cache() {
  local loads=() each protocol
  make_quotes
  write_scripts cached "SELECT price FROM quotes WHERE symbol = :n;" '\set n random(10000, 10999)'
  for each in "${wide_clients[@]}"; do
    for protocol in "${protocols[@]}"; do
      loads+=("$protocol, $each clients: -f $work/cached-$protocol.sql -M $protocol -c $each")
    done
  done
  start_pgbouncer
  start_pgweir pgweir whole
  start_pgweir cached cached
  start_pgpool 100 "memory_cache_enabled = on"
  start_echo
  run_rounds cache by_pgbench "${loads[@]}"
}
