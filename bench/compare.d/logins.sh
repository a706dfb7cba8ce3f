# logins: thirty-two clients that log in by SCRAM with keys they know, leave, and log in again

by_logins() { "$logins" --port "${port[$1]}" --clients 32 --seconds "$seconds" "${@:2}"; }

# A user whose verifier the server and the poolers share.
make_storm_user() {
  local verifier ask=(psql -X -q -At -h 127.0.0.1 -p "$postgres_port" -U postgres postgres)
  sed -i '1i host all storm 127.0.0.1/32 scram-sha-256' "$work/data/pg_hba.conf"
  "${ask[@]}" -o "$work/reloaded" -c "CREATE ROLE storm LOGIN PASSWORD 'storm'" \
    -c "SELECT pg_reload_conf()"
  verifier=$("${ask[@]}" -c "SELECT rolpassword FROM pg_authid WHERE rolname = 'storm'")
  printf '"storm" "%s"\n' "$verifier" >>"$work/users.txt"
  storm_login=(--user storm --password storm --verifier "$verifier")
}

subject_logins() {
  local trial=trial_login auth=scram tls=yes
  make_storm_user
  use_direct
  start_bare_relay
  start_haproxy
  start_pgbouncer
  leave_out pgpool "its salt is another one at each login, so that no keys can be known"
  start_pgweir pgweir whole
  workers=2 start_pgweir pgweir-2 whole
  run_rounds logins by_logins "SCRAM, 32 at once: ${storm_login[*]}" \
    "SCRAM over TLS, 32 at once: --tls ${storm_login[*]}"
}
