# Third part: a shard loses its replica under a load of reads, another its primary under a load of
# writes. Sourced by scripts/demo.

readonly read_clients=20 write_clients=10
readonly calm=2  # so many seconds of load come before the failure
readonly who_answers="SELECT current_setting('cluster_name') FROM candles
  WHERE symbol = 'SYMBOL' LIMIT 1"

now() { date +%s.%N; }

# seconds_between FROM TO
seconds_between() { awk -v from="$1" -v to="$2" 'BEGIN { printf "%.2f", to - from }'; }

# wait_for_server SQL SERVER: until the shards' database is answered by that server.
wait_for_server() {
  for _ in {1..150}; do
    [[ $(through market -q -A -t -c "$1" 2>&1) != "$2" ]] || return 0
    sleep 0.2
  done
  return 1
}

replica_back=no down_for=never

show_lost_replica() {
  local question="${who_answers/SYMBOL/BTCUSDT}"
  say "$read_clients clients read from db_shard_1, which loses its replica"
  start_load reading $((calm + seconds)) "$(conninfo pgweir market)" \
    --clients $read_clients --think 5 --writes 0 --symbols "${symbols_of[db_shard_1]}"
  sleep $calm
  stop db_shard_1_replica QUIT
  through market -q -A -t -c "$question" >"$dir/reading.server"
  finish_load reading
  echo "  of $(figure reading reads) reads $(errors reading) failed;" \
    "those after the replica's end were answered by $(<"$dir/reading.server")"
  start db_shard_1_replica shared_buffers=$shard_buffers
  ! wait_for_server "$question" db_shard_1_replica || replica_back=yes
  echo "  the replica is started again; reads are back there: $replica_back"
}

# promote NODE: its replica becomes the primary.
promote() {
  as_server_user timeout 60 pg_ctl promote --pgdata "$dir/${replica_of[$1]}" --wait --timeout 50 \
    >>"$dir/${replica_of[$1]}.log"
  primary_of[$1]=${replica_of[$1]}
  replica_of[$1]=$1
}

# What is written while there is no primary waits in pgweir; what was under way then fails.
show_promotion() {
  local killed gone promoted resumed
  say "$write_clients clients write to db_shard_2, which loses its primary," \
    "while $read_clients use the other shards"
  make_synchronous db_shard_2
  echo "  the replica of db_shard_2 is synchronous now: it has whatever is confirmed"
  start_load writing $((calm + seconds + 6)) "$(conninfo pgweir market)" \
    --clients $write_clients --think 5 --writes 100 --symbols "${symbols_of[db_shard_2]}"
  start_load others $((calm + seconds + 6)) "$(conninfo pgweir market)" \
    --clients $read_clients --think 10 --writes 50 --symbols '^(?!ETH)'
  sleep $calm
  killed=$(now)
  stop db_shard_2 QUIT
  gone=$(now)
  promote db_shard_2
  promoted=$(now)
  finish_load writing
  finish_load others
  resumed=$(sql "${primary_of[db_shard_2]}" -d market -c \
    "SELECT extract(epoch FROM min(traded_at)) FROM trades
     WHERE client_order_id LIKE 'writing-%' AND traded_at > to_timestamp($gone)")
  [[ -z $resumed ]] || down_for=$(seconds_between "$killed" "$resumed")
  echo "  after the primary's end its replica took $(seconds_between "$killed" "$promoted") s to" \
    "be promoted, and writes went on after $down_for s"
  echo "  $(errors writing) writes were under way and failed;" \
    "of $(figure writing writes) confirmed ones" \
    "$(missing_writes writing "${primary_of[db_shard_2]}") are missing"
  echo "  of $(figure others operations) operations on the other shards $(errors others) failed"
}

# The old primary lacks nothing, but has perhaps what was never confirmed: it is set up anew.
show_new_replica() {
  rm -rf "${dir:?}/db_shard_2"
  copy_primary db_shard_2
  start db_shard_2 shared_buffers=$shard_buffers
  wait_for_server "${who_answers/SYMBOL/ETHUSDT}" db_shard_2 || true
  echo "  a replica is started in the old primary's place"
  show_nodes promotion
}

show_failures() {
  show_lost_replica
  show_promotion
  show_new_replica
}

verify_failures() {
  expect "reads while a replica is lost" "$(figure reading reads)" -gt 100
  expect "reads that failed then" "$(errors reading)" -eq 0
  expect "the primary answers in the replica's place" "$(<"$dir/reading.server")" = db_shard_1
  expect "the replica is back" "$replica_back" = yes
  expect "writes went on within 10 s" "${down_for%.*}" -lt 10
  expect "confirmed writes to the shard that lost its primary" "$(figure writing writes)" -gt 100
  expect "confirmed ones that are missing" "$(missing_writes writing "${primary_of[db_shard_2]}")" = 0
  expect "writes done twice" "$(repeated_writes writing "${primary_of[db_shard_2]}")" = 0
  expect "writes that failed, at most those under way" "$(errors writing)" -le $write_clients
  expect "operations on the other shards" "$(figure others served)" -eq $read_clients
  expect "those that failed" "$(errors others)" -eq 0
  expect "servers that are up in the end" "$(grep -c ' up ' "$dir/promotion.nodes")" -eq 10
  expect "db_shard_2's primary" "$(awk '$1 == "db_shard_2" && $3 == "primary" { print $7 }' \
    "$dir/promotion.nodes")" = "${port_of[${primary_of[db_shard_2]}]}"
}
