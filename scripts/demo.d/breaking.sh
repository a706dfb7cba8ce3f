# At the end: the breaking-point test in its short form, on a server and a pgweir of its own. Sourced
# by scripts/demo.

# broken_share TARGET: errors in a hundred requests of all phases, rounded down.
broken_share() {
  jq -s --arg target "$1" 'map(select(.kind == "phase" and .target == $target)) |
    100 * (map(.errors) | add) / (map(.due) | add) | floor' "$dir/breaking.rows"
}

# broken COUNT: of all phases through pgweir.
broken() {
  jq -s --arg count "$1" 'map(select(.kind == "phase" and .target == "pgweir")[$count]) | add' \
    "$dir/breaking.rows"
}

show_breaking_point() {
  say "an application whose pool breaks at 30 requests a second, and the same behind pgweir: a minute"
  start_child "pid_of[breaking point]" "$dir/breaking.log" -- "$root/bench/breaking-point" --quick \
    --rows "$dir/breaking.rows"
  # It fails when a fact does not hold; --check looks at these itself.
  wait "${pid_of[breaking point]}" || [[ -s $dir/breaking.rows ]] ||
    die "the breaking-point test did not come to its end: $(tail -n 5 "$dir/breaking.log")"
  unset "pid_of[breaking point]"
  sed '1,/^$/d' "$dir/breaking.log" | indented
  echo
}

verify_breaking_point() {
  expect "requests that break through pgweir" "$(broken errors)" -eq 0
  expect "requests that are done through pgweir" "$(broken done)" -gt 2000
  expect "requests in a hundred that break without pgweir" "$(broken_share direct)" -ge 30
  expect "confirmed trades that are missing" \
    "$(jq -s 'map(select(.kind == "writes") | .missing) | add' "$dir/breaking.rows")" -eq 0
}
