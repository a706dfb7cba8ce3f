# routing: look-ups by one symbol, and by four that lie on four nodes, through maps of no, one and four nodes

# With pools in which nobody waits: else four small queues would be compared with a long one.
subject_routing() {
  local loads=() each protocol size=64
  make_quotes
  write_scripts routed "SELECT price FROM quotes WHERE symbol = :n;" '\set n random(10000, 49999)'
  write_scripts spread "SELECT price FROM quotes WHERE symbol IN (:a, :b, :c, :d);" \
    '\set a random(10000, 19999)' '\set b random(20000, 29999)' '\set c random(30000, 39999)' \
    '\set d random(40000, 49999)'
  for each in "${wide_clients[@]}"; do
    for protocol in "${protocols[@]}"; do
      loads+=("$protocol, $each clients: -f $work/routed-$protocol.sql -M $protocol -c $each")
    done
  done
  for protocol in "${protocols[@]}"; do
    loads+=("four symbols, $protocol, 16 clients: -f $work/spread-$protocol.sql -M $protocol -c 16")
  done
  start_pgweir pgweir whole
  start_pgweir one-shard divided node_1
  start_pgweir four-shards divided node_1 node_2 node_3 node_4
  run_rounds routing by_pgbench "${loads[@]}"
}
