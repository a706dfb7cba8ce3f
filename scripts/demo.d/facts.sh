# What the demo's parts share: asking pgweir, loads, and facts that have to hold. Sourced by
# scripts/demo.

conninfo() { echo "host=127.0.0.1 port=${port_of[$1]} dbname=$2 user=app"; }

# through DATABASE [PSQL_OPTION...]: psql as a user's, through pgweir.
through() {
  PGCONNECT_TIMEOUT=10 timeout 60 psql -X -d "$(conninfo pgweir "$1")" "${@:2}"
}

console() {
  PGCONNECT_TIMEOUT=10 timeout 10 \
    psql -X -U postgres -h 127.0.0.1 -p "${port_of[pgweir]}" "$@" pgweir
}

indented() { sed 's/^/    /'; }

# show NAME HEADING: the statements on stdin and their answers, in one session of the sharded
# database. They stay in NAME.shown.
show() {
  printf '\n  %s\n\n' "$2"
  through market -e >"$dir/$1.shown" 2>&1 || true
  indented <"$dir/$1.shown"
}

# shown NAME REGEX: in how many lines of what was shown.
shown() { grep -cE -- "$2" "$dir/$1.shown" || true; }

# start_load NAME SECONDS CONNINFO OPTION...: in the background. Its report goes to NAME.load, the
# ids of its confirmed writes to NAME.confirmed.
start_load() {
  : >"$dir/$1.load"
  PGPASSWORD=$password start_child "pid_of[load $1]" "$dir/$1.load" -- timeout $(($2 + 60)) \
    "$root/build/release/pgweir_load" --conninfo "$3" --seconds "$2" \
    --run "$1" --confirmed "$dir/$1.confirmed" "${@:4}"
}

finish_load() {
  wait "${pid_of[load $1]}" || die "the load did not come to its end: $(tail -n 5 "$dir/$1.load")"
  unset "pid_of[load $1]"
}

# figure NAME KEY: of the load's machine-readable line.
figure() { sed -n "s/^load .*\b$2=\([^ ]*\).*/\1/p" "$dir/$1.load"; }

errors() { echo $(($(figure "$1" refused) + $(figure "$1" failed))); }

# missing_writes NAME SERVER: how many of the load's confirmed writes are not there.
missing_writes() {
  sql "$2" -d market <<SQL
CREATE TEMP TABLE confirmed (client_order_id text);
\\copy confirmed FROM '$dir/$1.confirmed'
SELECT count(*) FROM confirmed LEFT JOIN trades USING (client_order_id) WHERE trade_id IS NULL;
SQL
}

# repeated_writes NAME SERVER: how many of the load's writes are there more than once.
repeated_writes() {
  sql "$2" -d market -c "SELECT count(client_order_id) - count(DISTINCT client_order_id)
                         FROM trades WHERE client_order_id LIKE '$1-%'"
}

faults=0

# expect WHAT ACTUAL OPERATOR EXPECTED: one fact, in the operators of `test`.
expect() {
  if test "${2:-nothing}" "$3" "$4" 2>/dev/null; then
    echo "  ok      $1"
  else
    echo "  FAILED  $1: ${2:-nothing}, expected $3 $4"
    faults=$((faults + 1))
  fi
}
