# Throw-away PostgreSQL 15 servers for the scripts beside this file. Sourced after lib.sh.

pg_bin=/usr/lib/postgresql/15/bin
export PATH=$pg_bin:$PATH

# What the caller's environment says about other servers is not meant for these.
unset "${!PG@}"

# PostgreSQL refuses to run as root: as root, the servers run as the packages' own user.
server_user=()
((EUID != 0)) || server_user=(--reuid postgres --regid postgres --init-groups)

as_server_user() { setpriv "${server_user[@]}" -- "$@"; }

# start_child PID_VARIABLE LOG [SETPRIV_OPTION...] -- COMMAND...: in the background, out of reach of
# the terminal's Ctrl-C, and told to stop by the kernel if this script dies before saying so.
start_child() {
  local -n started=$1
  local log=$2
  shift 2
  setsid env --default-signal=INT,QUIT setpriv --pdeathsig INT "$@" >>"$log" 2>&1 </dev/null &
  started=$!
}

# stop_child PID SIGNAL SECONDS: and kills what is still there then.
stop_child() {
  local pid=$1 signal=$2 tries=$(($3 * 10))
  kill -s "$signal" "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null && ((tries-- > 0)); do sleep 0.1; done
  kill -KILL "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

# free_port PREFERRED: that one, else any that is free.
free_port() {
  python3 - "$1" <<'PYTHON'
import socket, sys
for port in (int(sys.argv[1]), 0):
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            print(probe.getsockname()[1])
            break
    except OSError:
        pass
PYTHON
}

# init_server FOLDER: an empty cluster; TCP clients log in by SCRAM, the unix socket is trusted.
init_server() {
  as_server_user initdb --pgdata "$1" --username postgres --encoding UTF8 \
    --locale C.UTF-8 --auth-local trust --auth-host scram-sha-256 --no-sync >/dev/null
}

# start_server PID_VARIABLE FOLDER PORT SOCKET_FOLDER [SETTING=VALUE...]
start_server() {
  local variable=$1 folder=$2 port=$3 sockets=$4 setting arguments=()
  shift 4
  for setting in "$@"; do arguments+=(-c "$setting"); done
  start_child "$variable" "$folder.log" "${server_user[@]}" -- postgres -D "$folder" \
    -c port="$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories="$sockets" \
    -c fsync=off "${arguments[@]}"
  for _ in {1..300}; do
    if pg_isready -q -U postgres -h "$sockets" -p "$port"; then return 0; fi
    kill -0 "${!variable}" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 20 "$folder.log" >&2
  die "PostgreSQL in $folder did not start"
}
