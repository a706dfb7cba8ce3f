# Starts what bench/compare measures, each with a configuration in the work folder. Sourced after
# bench/lib.sh, never run. What doesn't start is left out of the subject, and said.
#
# How a pooler is set up beside its name comes as variables before the call:
#   workers=N  pgweir's threads (1)      auth=scram  its users log in by SCRAM; else trusted
#   size=N     backends a pool (20)      tls=yes     encrypted connections are taken

readonly pool_size=20
targets=()
declare -A pid port

# leave_out NAME REASON
leave_out() {
  say "$1 is left out: $2"
  printf '%s\t%s\n' "$1" "$2" >>"$work/left_out"
}

end_of() { tail -n 2 "$1" | tr '\n' ' '; }

trial_pgbench() { (run_pgbench "$1" 1 -S -c 16) >/dev/null; }
trial_login() { "$logins" --port "$1" --seconds 1 "${storm_login[@]}" >/dev/null; }

# take_in NAME PORT: if a trial goes through it.
trial=trial_pgbench
take_in() {
  if ! "$trial" "$2" 2>"$work/trial"; then
    leave_out "$1" "$(end_of "$work/trial")"
    return
  fi
  targets+=("$1")
  port[$1]=$2
  pid[$1]=$proxy_pid
}

# start_or_leave NAME PORT [SETPRIV_OPTION...] -- COMMAND...
start_or_leave() {
  if start_proxy "$@"; then
    take_in "$1" "$2"
  else
    leave_out "$1" "$(end_of "$work/$1.log")"
  fi
}

stop_proxies() {
  local each
  for each in "${children[@]}"; do stop_child "$each" INT 5; done
  children=() targets=() pid=() port=()
}

# most_relayed: clients of a proxy that has a connection to the server for each.
most_relayed() { echo $((($(ulimit -n) - 200) / 2)); }

use_direct() {
  targets+=(direct)
  pid[direct]=0
  port[direct]=$postgres_port
}

# start_bare_relay [SERVER_PORT]
start_bare_relay() {
  local listen
  listen=$(free_port 0)
  start_or_leave relay "$listen" -- "$relay" --port "$listen" \
    --server "127.0.0.1:${1:-$postgres_port}"
}

# start_haproxy [SERVER_PORT]
start_haproxy() {
  local listen
  command -v haproxy >/dev/null || { leave_out haproxy "not installed"; return; }
  listen=$(free_port 0)
  cat >"$work/haproxy.cfg" <<CONF
global
  nbthread 1
  maxconn $(most_relayed)
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen postgres
  bind 127.0.0.1:$listen
  server postgres 127.0.0.1:${1:-$postgres_port}
CONF
  start_or_leave haproxy "$listen" -- haproxy -db -q -f "$work/haproxy.cfg"
}

# pgbouncer_prepares BINARY: whether it carries prepared statements from backend to backend, from 1.21.
pgbouncer_prepares() {
  local version
  version=$("$1" --version | awk 'NR == 1 { print $2 }')
  [[ $(printf '%s\n' 1.21 "$version" | sort -V | head -n 1) == 1.21 ]]
}

# find_pgbouncers: sets pgbouncer to the first on PATH that knows no prepared statements, as Debian's,
# else the first; and new_pgbouncer to the first that does know them, "" when there is none.
find_pgbouncers() {
  local each
  pgbouncer= new_pgbouncer=
  while read -r each; do
    if ! pgbouncer_prepares "$each"; then
      pgbouncer=${pgbouncer:-$each}
    else
      new_pgbouncer=${new_pgbouncer:-$each}
    fi
  done < <(type -aP pgbouncer)
  pgbouncer=${pgbouncer:-$new_pgbouncer}
}

# start_pgbouncer [NAME BINARY]
start_pgbouncer() {
  local name=${1:-pgbouncer} binary=${2:-$pgbouncer} listen
  [[ -n $binary ]] || { leave_out "$name" "not installed"; return; }
  listen=$(free_port 0)
  cat >"$work/$name.ini" <<INI
[databases]
postgres = host=127.0.0.1 port=$postgres_port
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $listen
unix_socket_dir =
auth_type = $([[ ${auth:-} != scram ]] && echo trust || echo scram-sha-256)
auth_file = $work/users.txt
pool_mode = transaction
default_pool_size = ${size:-$pool_size}
max_client_conn = 20000
server_tls_sslmode = disable
log_connections = 0
log_disconnections = 0
INI
  ! pgbouncer_prepares "$binary" || echo 'max_prepared_statements = 200' >>"$work/$name.ini"
  [[ -z ${tls:-} ]] || cat >>"$work/$name.ini" <<INI
client_tls_sslmode = allow
client_tls_cert_file = $work/server.crt
client_tls_key_file = $work/server.key
INI
  chmod -R a+rX "$work/$name.ini"
  start_or_leave "$name" "$listen" "${server_user[@]}" -- "$binary" "$work/$name.ini"
}

# start_pgbouncers: and one that knows prepared statements, where that is another one.
start_pgbouncers() {
  start_pgbouncer
  [[ -z $new_pgbouncer || $new_pgbouncer == "$pgbouncer" ]] ||
    start_pgbouncer pgbouncer-new "$new_pgbouncer"
}

# start_pgweir NAME DATABASE...: the command that prints the databases' tables.
start_pgweir() {
  local name=$1 listen
  [[ -x $pgweir ]] || { leave_out "$name" "not built"; return; }
  listen=$(free_port 0)
  cat >"$work/$name.toml" <<TOML
[listen]
address = "127.0.0.1"
port = $listen
workers = ${workers:-1}
max_clients = 20000
$([[ -z ${tls:-} ]] || printf '[listen.tls]\nmode = "allow"\ncertificate = "server.crt"\nkey = "server.key"')

[auth]
method = "$([[ ${auth:-} != scram ]] && echo trust || echo scram-sha-256)"
users_file = "users.txt"

[pool]
mode = "transaction"
size = ${size:-$pool_size}

$("${@:2}")
TOML
  start_or_leave "$name" "$listen" -- "$pgweir" run --config "$work/$name.toml"
}

# whole | cached | divided NODE...: the databases in pgweir.toml. All nodes lead to the same one; the
# symbols' first digits, 1 to 4, say which node.
whole() {
  cat <<TOML
[databases.postgres]
primary = "$(server_of_pgweir)"
TOML
}

server_of_pgweir() { echo "host=127.0.0.1 port=$postgres_port dbname=postgres sslmode=disable"; }

cached() {
  whole
  printf '[cache]\nenabled = true\n[[cache.rules]]\ntables = ["quotes"]\nttl = "1h"\n'
}

divided() {
  local map=$work/shards-$#.toml digit=1 node
  printf '[tables]\nquotes = "symbol"\n[shards]\n"*" = "%s"\n' "${!#}" >"$map"
  for node in "${@:1:$#-1}"; do
    printf '"%s*" = "%s"\n' "$digit" "$node" >>"$map"
    digit=$((digit + 1))
  done
  printf '[databases.postgres]\nshard_map = "%s"\n' "$map"
  for node; do
    printf '[databases.postgres.nodes.%s]\nprimary = "%s"\n' "$node" "$(server_of_pgweir)"
  done
}

# start_pgpool CHILDREN [SETTING...]: each child serves a client.
start_pgpool() {
  local listen
  command -v pgpool >/dev/null || { leave_out pgpool "not installed"; return; }
  listen=$(free_port 0)
  rm -rf "$work/oiddir"
  mkdir "$work/oiddir"
  cat >"$work/pgpool.conf" <<CONF
backend_clustering_mode = 'raw'
listen_addresses = '127.0.0.1'
port = $listen
pcp_listen_addresses = ''
unix_socket_directories = '$work'
backend_hostname0 = '127.0.0.1'
backend_port0 = $postgres_port
num_init_children = $1
max_pool = 1
connection_life_time = 2
enable_pool_hba = off
pid_file_name = '$work/pgpool.pid'
memqcache_method = 'shmem'
memqcache_oiddir = '$work/oiddir'
$(printf '%s\n' "${@:2}")
CONF
  chmod -R a+rwX "$work/oiddir" "$work/pgpool.conf"
  start_or_leave pgpool "$listen" "${server_user[@]}" -- pgpool -n -f "$work/pgpool.conf"
}

# It knows one answer only: no trial.
start_echo() {
  local listen
  listen=$(free_port 0)
  trial=true start_or_leave echo "$listen" -- "$echo" "$listen"
}
