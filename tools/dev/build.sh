# Building, formatting, linting, cleaning.

# ccache finds objects of another clone, too: paths are taken relative to the root, the folder is not hashed. The
# sloppiness is what ccache asks for with precompiled headers.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=true
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime

# build PRESET [TARGET…]
build() {
  local preset=$1 targets=()
  shift
  [ $# -eq 0 ] || targets=(--target "$@")
  use_node
  install_npm web
  if [ ! build/"$preset"/build.ninja -nt CMakePresets.json ]; then
    attempt "Configuring $preset" build/logs/configure-"$preset".log cmake --preset "$preset" || return 1
  fi
  attempt "Building $preset" build/logs/build-"$preset".log \
    cmake --build --preset "$preset" -j "$(nproc)" "${targets[@]}" || return 1
}

cpp_sources() { find src tests/unit bench/load -name '*.cpp' -o -name '*.hpp'; }

format() {
  install_packages all
  cpp_sources | xargs clang-format-19 -i
  say "Formatted."
}

# lint [FILE…]: clang-tidy looks at all of src/ or only at the files named.
lint() {
  local failed=0 long tidy=("$@")
  setup
  attempt "Checking the format" build/logs/format.log check_format || failed=1
  long=$(find src tests tools dev bench \( -name node_modules -o -name results \) -prune -o -type f ! -name '*.json*' -print0 |
    xargs -0 wc -l | awk '$1 > 400 && $2 != "total" { print "  " $2 ": " $1 " lines, 400 at most" }')
  [ -z "$long" ] || { say "Files are too long:" "$long"; failed=1; }
  attempt "Checking the types of the tests" build/logs/tsc.log tests/node_modules/.bin/tsc --noEmit -p tests || failed=1
  build release || exit 1 # the precompiled header
  [ $# -gt 0 ] || mapfile -t tidy < <(find src -name '*.cpp')
  attempt "Running clang-tidy on ${#tidy[@]} files" build/logs/tidy.log check_tidy "${tidy[@]}" || failed=1
  [ $failed = 0 ] && say "No complaints." || exit 1
}

check_format() { cpp_sources | xargs clang-format-19 --dry-run -Werror; }

check_tidy() {
  printf '%s\0' "$@" | xargs -0 -n 1 -P "$(nproc)" clang-tidy-19 -p build/release --quiet --warnings-as-errors='*'
}

clean() {
  rm -rf build
  if [ "${1:-}" = --all ]; then
    rm -rf .dev tests/node_modules web/node_modules
    say "Removed build/, .dev/ and the installed npm packages."
  else
    say "Removed build/. Kept .dev/ (development secrets, database, built LiveKit server); ./dev clean --all removes it too."
  fi
}
