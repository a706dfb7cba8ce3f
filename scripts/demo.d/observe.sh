# Last part: where to see what has just gone on. Sourced by scripts/demo.

dashboard_address() { echo "http://127.0.0.1:${port_of[http]}/"; }

# http_get PATH: the answer with its head, of pgweir's own HTTP.
http_get() {
  local connection
  exec {connection}<>"/dev/tcp/127.0.0.1/${port_of[http]}"
  printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&$connection
  timeout 10 cat <&$connection
  exec {connection}>&-
}

show_report() {
  say "what the slow-query log says of all that"
  "$root/build/release/pgweir" report "$dir/slow.json" --html "$dir/report.html" --top 5 \
    >"$dir/report.txt" 2>"$dir/report.log" || die "no report: $(cat "$dir/report.log")"
  echo
  indented <"$dir/report.txt"
}

verify_observation() {
  expect "dashboards" "$(http_get / | grep -c '<title>pgweir</title>')" -eq 1
  expect "statements that the dashboard knows" \
    "$(http_get /dashboard.json | grep -o '"calls":[0-9]*' | head -n 1 | cut -d: -f2)" -gt 100
  expect "reports" "$(grep -c '<title>pgweir report</title>' "$dir/report.html")" -eq 1
  expect "statements in the report" "$(sed -n 's/^\([0-9,]*\) statements.*/\1/p' "$dir/report.txt" | tr -d ,)" -gt 100
}
