# pipelines: twenty look-ups in one pipeline, sent and read as a whole; figures a statement

by_pipelines() { by_pgbench "$@" | in_units 20; }

subject_pipelines() {
  local loads=() protocol
  {
    printf '\\set n random(1, 1000000)\n\\startpipeline\n'
    for _ in {1..20}; do echo 'SELECT abalance FROM pgbench_accounts WHERE aid = :n;'; done
    printf '\\endpipeline\n'
  } >"$work/pipeline.sql"
  for protocol in extended prepared; do
    loads+=("$protocol, 16 clients: -f $work/pipeline.sql -M $protocol -c 16")
  done
  use_direct
  start_bare_relay
  start_haproxy
  start_pgbouncers
  start_pgweir pgweir whole
  run_rounds pipelines by_pipelines "${loads[@]}"
}
