# What the scripts beside this file share. Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=$(nproc)
export LC_ALL=C.UTF-8

say() { printf '==> %s\n' "$*"; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# configure PRESET: CMake's own words only if it fails.
configure() {
  local output
  output=$(cd "$root" && cmake --preset "$1" 2>&1) || die "cmake --preset $1:"$'\n'"$output"
}

# build PRESET [TARGET...]: in build/PRESET; all targets when none is named.
build() {
  local preset=$1 target arguments=()
  for target in "${@:2}"; do arguments+=(--target "$target"); done
  say "building $preset"
  configure "$preset"
  cmake --build "$root/build/$preset" --parallel "$jobs" "${arguments[@]}"
}

# The project's own C++ files, one a line, from the root.
cxx_files() {
  (cd "$root" && find . \( -path ./build -o -path ./.git -o -path ./.cache \) -prune -o \
    -type f \( -name '*.h' -o -name '*.cc' \) -printf '%P\n' | sort)
}
