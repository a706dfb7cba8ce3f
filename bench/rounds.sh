# Interleaved rounds of loads through targets, for bench/compare. Sourced after bench/proxies.sh.
#
# A line of the rows is SUBJECT, LOAD, TARGET, ROUND and "key=value ...", separated by tabs:
#   count   what was done: transactions, statements, logins, gigabytes or clients
#   rate    as many a second                   others  other programs' share of the machine's CPU
#   cpu     the proxy's nanoseconds             memory  the bytes that the proxy has grown by

# machine_cpu: ticks of all CPUs, those that they worked, and those that this script, what it started
# and what these started have worked. Threads that live count by the nanosecond, others once they
# have been waited for.
machine_cpu() {
  { grep '^cpu ' /proc/stat; grep -s '' /proc/[0-9]*/stat /proc/[0-9]*/task/*/schedstat || true; } |
    awk -v root=$$ '
      /^cpu / { for (i = 2; i <= 9; ++i) all += $i; busy = all - $5 - $6; next }
      { at = index($0, ":"); file = substr($0, 1, at - 1); text = substr($0, at + 1)
        split(file, part, "/"); pid = part[3] }
      file ~ /schedstat$/ { split(text, field, " "); ticks[pid] += field[1] / 1e7; next }
      { sub(/^.*\) /, "", text); split(text, field, " "); parent[pid] = field[2]
        ticks[pid] += field[14] + field[15] }
      END {
        for (pid in parent) {
          for (p = pid; p in parent && p != root;) p = parent[p]
          if (p == root) own += ticks[pid]
        }
        printf "%d %d %.1f\n", all, busy, own
      }'
}

# others_between BEFORE AFTER: what neither idled nor was ours, as a share.
others_between() {
  awk '{ others = ($5 - $2) - ($6 - $3); all = $4 - $1 }
    END { printf "%.3f\n", (others > 0 && all > 0 ? others / all : 0) }' <<<"$1 $2"
}

add_row() {  # SUBJECT LOAD TARGET KEY=VALUE...
  printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$round" "${*:4}" >>"$work/rows"
}

# run_once SUBJECT LOAD TARGET RUNNER: a LOAD is "LABEL: what the runner takes". The runner gets the
# target's name and that, and prints a count and its rate.
run_once() {
  local subject=$1 load=$2 target=$3 runner=$4 start end before=(0) after=(0) result
  local options
  read -ra options <<<"${load#*: }"
  start=$(machine_cpu)
  [[ ${pid[$target]} == 0 ]] || read -ra before <<<"$(cpu_of "${pid[$target]}")"
  if ! result=$("$runner" "$target" "${options[@]}") || [[ $result == "0 "* ]]; then
    leave_out "a run of $target, ${load%%: *}" "it came to nothing"
    return
  fi
  [[ ${pid[$target]} == 0 ]] || read -ra after <<<"$(cpu_of "${pid[$target]}")"
  end=$(machine_cpu)
  add_row "$subject" "${load%%: *}" "$target" "count=${result% *}" "rate=${result#* }" \
    "cpu=$((after[0] - before[0]))" "others=$(others_between "$start" "$end")"
}

# Others who measure on this machine hold the same lock. It is kept for some rounds, and never for
# longer than the longest round after four minutes.
turn_began=
take_turn() {
  [[ -n $lock && -z $turn_began ]] || return 0
  flock "$lock_fd"
  turn_began=$SECONDS
}

end_turn() {
  [[ -n $turn_began ]] && ((SECONDS - turn_began >= ${1:-240})) || return 0
  flock -u "$lock_fd"
  turn_began=
}

# run_rounds SUBJECT RUNNER LOAD...: all loads through all targets that serve them.
run_rounds() {
  local subject=$1 runner=$2 load target
  for ((round = 1; round <= rounds; round++)); do
    take_turn
    say "$subject: round $round of $rounds"
    for load in "${@:3}"; do
      for target in $(rotated "$round" "${targets[@]}"); do
        ! serves "$target" "$load" || run_once "$subject" "$load" "$target" "$runner"
      done
    done
    end_turn
  done
}

# serves TARGET LOAD: pgpool would need a process and a backend for each of 500 clients, so that one
# protocol must do.
serves() {
  case "$1, $2" in
    pgbouncer-new,\ prepared*) true ;;
    pgbouncer-new,*) false ;;
    pgbouncer,\ *prepared*) [[ $pgbouncer == "$new_pgbouncer" ]] ;;
    pgpool,\ *prepared,\ 500*) false ;;
    pgpool,\ *extended,\ 500*) false ;;
    *) true ;;
  esac
}

# by_pgbench TARGET OPTION...: whose last one is the number of clients. To pgbench, time runs while it
# connects; hundreds take a while where each needs a backend of its own.
by_pgbench() {
  local longer=0
  case $1 in direct | relay | haproxy | pgpool) longer=$((${!#} / 150)) ;; esac
  run_pgbench "${port[$1]}" $((seconds + longer)) "${@:2}"
}

# in_units FACTOR: a count and a rate in other units.
in_units() { awk -v by="$1" '{ printf "%.6g %.6g\n", $1 * by, $2 * by }'; }

# pgbench writes a variable into a simple query's text, and makes it a parameter of any other: in
# the script for simple queries it stands in quotes. write_scripts NAME SQL LINE...: $work/NAME-PROTOCOL.sql
write_scripts() {
  local name=$1 sql=$2 protocol
  for protocol in simple extended prepared; do
    printf '%s\n' "${@:3}" "$sql" >"$work/$name-$protocol.sql"
  done
  sed -i -E "\$s/:([a-z]+)/':\1'/g" "$work/$name-simple.sql"
}

# make_quotes: 40,000 symbols, their first digits from 1 to 4.
make_quotes() {
  psql -X -q -h 127.0.0.1 -p "$postgres_port" -U postgres -v ON_ERROR_STOP=1 postgres <<'SQL'
SET client_min_messages = warning;
DROP TABLE IF EXISTS quotes;
CREATE TABLE quotes (symbol text PRIMARY KEY, price integer, filler char(84));
INSERT INTO quotes SELECT n, n, '' FROM generate_series(10000, 49999) AS n;
VACUUM ANALYZE quotes;
SQL
}
