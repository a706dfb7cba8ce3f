# protocols: look-ups of pgbench -S by simple, extended and prepared statements

subject_protocols() {
  local loads=() protocol each
  for each in "${clients[@]}"; do
    for protocol in "${protocols[@]}"; do
      loads+=("$protocol, $each client$( ((each == 1)) || echo s): -S -M $protocol -c $each")
    done
  done
  use_direct
  start_bare_relay
  start_haproxy
  start_pgbouncers
  start_pgpool 520
  start_pgweir pgweir whole
  workers=2 start_pgweir pgweir-2 whole
  run_rounds protocols by_pgbench "${loads[@]}"
}
