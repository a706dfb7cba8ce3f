# The demo's PostgreSQL servers, each a primary with a streaming replica on loopback, and pgweir in
# front of them. Sourced by scripts/demo.

readonly shards=(db_shard_1 db_shard_2 db_shard_3 db_shard_default)
readonly pool_size=20 max_connections=30 shard_buffers=32MB

# By name: "whole" holds the whole market, the shards hold their symbols; NAME_replica is NAME's.
declare -A port_of pid_of primary_of replica_of
helpers=()  # processes that end by themselves

choose_roles() {
  local name
  for name in whole "${shards[@]}"; do
    primary_of[$name]=$name
    replica_of[$name]=${name}_replica
  done
}

choose_ports() {
  local name number=0
  for name in db_shard_default "${shards[@]:0:3}" whole; do
    port_of[$name]=$(free_port $((5500 + number)))
    port_of[${name}_replica]=$(free_port $((5510 + number)))
    number=$((number + 1))
  done
  port_of[pgweir]=$(free_port 6432)
  port_of[http]=$(free_port 9632)
}

# As the superuser, over the unix socket of the server of this name.
sql() {
  local port=${port_of[$1]}
  shift
  timeout 300 psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$dir" -p "$port" -U postgres "$@"
}

# in_pairs COMMAND NAME...: COMMAND for each name, two at a time.
in_pairs() {
  local command=$1 name helper running=()
  shift
  for name; do
    "$command" "$name" &
    helpers+=($!)
    running+=($!)
    ((${#running[@]} == 2)) || continue
    wait "${running[0]}"
    running=("${running[1]}")
  done
  for helper in "${running[@]}"; do wait "$helper"; done
}

init_primary() {
  init_server "$dir/$1"
  echo "host replication replicator 127.0.0.1/32 scram-sha-256" >>"$dir/$1/pg_hba.conf"
}

# start NAME [SETTING=VALUE...]
start() {
  start_server "pid_of[$1]" "$dir/$1" "${port_of[$1]}" "$dir" cluster_name="$1" \
    max_connections=$max_connections "${@:2}"
}

start_primary() {
  start "$1" max_wal_size=4GB wal_level=replica "${@:2}"
  sql "$1" -d postgres -v password="$password" <<'SQL'
CREATE ROLE app LOGIN PASSWORD :'password';
CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'password';
CREATE DATABASE market OWNER app;
SQL
}

# copy_primary NODE: to where its replica begins.
copy_primary() {
  PGPASSWORD=$password as_server_user timeout 300 pg_basebackup --pgdata "$dir/${replica_of[$1]}" \
    --write-recovery-conf --checkpoint fast --wal-method stream --no-sync \
    -d "host=127.0.0.1 port=${port_of[${primary_of[$1]}]} user=replicator"
}

# stop NAME SIGNAL
stop() {
  stop_child "${pid_of[$1]}" "$2" 10
  unset "pid_of[$1]"
}

start_databases() {
  local name
  say "starting five primaries on the ports ${port_of[whole]} and $(ports_of_shards)"
  in_pairs init_primary whole "${shards[@]}"
  start_primary whole shared_buffers=256MB
  for name in "${shards[@]}"; do start_primary "$name" shared_buffers=$shard_buffers; done

  say "loading $trades trades into the one that holds the whole market"
  sql whole -d market <"$root/scripts/market.sql"

  say "starting a replica of each, on the ports" \
    "${port_of[whole_replica]} and $(ports_of_shards _replica)"
  in_pairs copy_primary whole "${shards[@]}"
  start whole_replica shared_buffers=128MB
  for name in "${shards[@]}"; do start "${name}_replica" shared_buffers=$shard_buffers; done
}

# make_synchronous NODE: no COMMIT is confirmed before the replica has it, too. (The walreceiver
# calls itself by its server's cluster_name.)
make_synchronous() {
  sql "$1" -d postgres -c "ALTER SYSTEM SET synchronous_standby_names = '${1}_replica'" \
    -c "SELECT pg_reload_conf()" >/dev/null
  for _ in {1..100}; do
    if [[ $(sql "$1" -d postgres -c "SELECT sync_state FROM pg_stat_replication") == sync ]]; then
      return 0
    fi
    sleep 0.1
  done
  die "the replica of $1 did not become synchronous"
}

# wait_for_replica NAME: until it has replayed what NAME has written so far.
wait_for_replica() {
  local target
  target=$(sql "$1" -d market -c "SELECT pg_current_wal_lsn()")
  for _ in {1..300}; do
    if [[ $(sql "${1}_replica" -d market -c \
      "SELECT pg_last_wal_replay_lsn() >= '$target'") == t ]]; then return 0; fi
    sleep 0.1
  done
}

# ports_of_shards [SUFFIX]
ports_of_shards() {
  local name ports=()
  for name in "${shards[@]}"; do ports+=("${port_of[$name${1:-}]}"); done
  echo "${ports[*]}"
}

server_string() {
  echo "host=127.0.0.1 port=${port_of[$1]} dbname=market user=app password=$password"
}

server_address() { echo "postgresql://app:$password@127.0.0.1:${port_of[$1]}/market"; }

write_shard_map() {
  cat >"$dir/shards.toml" <<'TOML'
[shards]
"BTC*" = "db_shard_1"
"ETH*" = "db_shard_2"
"XRP*" = "db_shard_3"
"*"    = "db_shard_default"

[tables]
trades  = "symbol"
candles = "symbol"

[replicated]
tables = ["instruments"]
TOML
}

write_configuration() {
  local name
  cat <<TOML
[listen]
address = "127.0.0.1"
port = ${port_of[pgweir]}

# Whoever is on this machine may look at throw-away data: pgweir has the servers' password.
[auth]
method = "trust"

[pool]
mode = "transaction"
size = $pool_size

[admin]
http = "127.0.0.1:${port_of[http]}"

[slow_log]
path = "slow.json"
threshold = "20ms"
sample = 0.02

# Without rules nothing is cached but what asks for it itself.
[cache]
enabled = true
max_bytes = "64MiB"

[databases.market_whole]
primary = "$(server_string whole)"
replicas = ["$(server_string whole_replica)"]

[databases.market]
shard_map = "shards.toml"
TOML
  for name in "${shards[@]}"; do
    cat <<TOML

[databases.market.nodes.$name]
primary = "$(server_string "$name")"
replicas = ["$(server_string "${name}_replica")"]
TOML
  done
}

start_pgweir() {
  say "starting pgweir on port ${port_of[pgweir]}"
  write_shard_map
  write_configuration >"$dir/pgweir.toml"
  : >"$dir/pgweir.log"
  start_child "pid_of[pgweir]" "$dir/pgweir.log" -- "$root/build/release/pgweir" run \
    --config "$dir/pgweir.toml"
  for _ in {1..200}; do
    if grep -q 'pgweir: ready' "$dir/pgweir.log"; then return 0; fi
    kill -0 "${pid_of[pgweir]}" 2>/dev/null || break
    sleep 0.1
  done
  die "pgweir did not start"
}
