# ./dev test: builds, runs every suite, and ends with one line `N passed, N failed`.

# run_tests [unit | functional | e2e | docs | chaos | budget | asan | tsan]…
run_tests() {
  local part parts=("$@")
  [ $# -gt 0 ] || parts=(unit functional e2e docs chaos budget asan tsan)
  passed=0 failed=0 built=" "
  for part in "${parts[@]}"; do
    case $part in unit | functional | e2e | docs | chaos | budget | asan | tsan) ;; *) fail "There is no part '$part' of the tests." ;; esac
  done
  trap print_total EXIT
  setup
  for part in "${parts[@]}"; do
    case $part in
      unit) unit release ;;
      functional | e2e | docs | budget) vitest "$part" release ;;
      chaos) short_chaos ;;
      *)
        unit "$part"
        vitest functional "$part"
        ;;
    esac
  done
  [ $failed -eq 0 ] && [ $passed -gt 0 ]
}

# budget: what requests spend is counted anew and written into docs/performance.md, which ./dev test compares with.
budget() {
  passed=0 failed=0 built=" "
  setup
  BUDGET=write vitest budget release
  [ $failed -ne 0 ] || say "Written into docs/performance.md."
  [ $failed -eq 0 ]
}

# mutants [WORD…]: tests/mutations/
mutants() {
  install_packages build
  use_node
  install_npm web
  node tests/mutations/run.mjs "$@"
}

print_total() {
  local status=$?
  [ $status -eq 0 ] || [ $failed -gt 0 ] || failed=1
  printf '\n%d passed, %d failed\n' "$passed" "$failed"
}

build_for_tests() {
  [[ $built == *" $1 "* ]] || build "$1" || exit 1
  built+="$1 "
}

unit() {
  build_for_tests "$1"
  suite unit "$1" build/"$1"/unit-tests --gtest_brief=1 --gtest_output=json:"$root/build/results/unit-$1.json"
}

# Half a minute on each database, with the same faults each time, unless CHAOS_SEED says otherwise: ./dev chaos tries others.
short_chaos() {
  CHAOS_SEED=${CHAOS_SEED:-1} vitest chaos release chaos/chaos.test.ts --no-file-parallelism
  grep -hE '^ *(chaos on|the database equalled)' build/logs/test-chaos-release.log || true
}

# vitest PROJECT PRESET [ARGUMENT…]
vitest() {
  local project=$1 preset=$2
  shift 2
  build_for_tests "$preset"
  suite "$project" "$preset" env -C tests NO_COLOR=1 \
    CALL_SERVICE_BINARY="$root/build/$preset/call-service" LIVEKIT_SERVER_BINARY="$livekit" \
    npx --no-install vitest run --project "$project" "$@" --reporter=default --reporter=json \
    --outputFile.json="$root/build/results/$project-$preset.json"
}

# suite NAME PRESET COMMAND…: COMMAND writes build/results/NAME-PRESET.json. It fails by a failed or skipped test, by its
# own exit status, by running no test, and by a sanitizer's report, also one of a program that it started.
suite() {
  local name=$1-$2 began=$SECONDS status=0 counts=() result reports
  result=build/results/$name.json
  shift 2
  mkdir -p build/results
  rm -f "$result" build/logs/sanitizer-"$name".*
  export_sanitizer_options "$root/build/logs/sanitizer-$name"
  attempt "Testing $name" build/logs/test-"$name".log "$@" || status=$?
  read -ra counts < <(node tools/dev/tally.mjs "$result")
  reports=$(find build/logs -name "sanitizer-$name.*")
  if [ -n "$reports" ]; then
    xargs head -n 60 <<<"$reports"
    say "  Sanitizer reports: $(xargs <<<"$reports")"
    status=1
  fi
  [ "${counts[2]}" -eq 0 ] || say "  Skipped tests count as failed: ${counts[2]}"
  if [ "${counts[1]}" -eq 0 ] && { [ $status -ne 0 ] || [ "${counts[0]}" -eq 0 ]; }; then
    counts[1]=1
  fi
  passed=$((passed + counts[0])) failed=$((failed + counts[1]))
  say "  $name: ${counts[0]} passed, ${counts[1]} failed in $((SECONDS - began)) s"
}

# export_sanitizer_options LOG_PATH: each process that has something to report writes LOG_PATH.<pid>.
export_sanitizer_options() {
  local common="log_path=$1:external_symbolizer_path=/usr/lib/llvm-19/bin/llvm-symbolizer"
  export ASAN_OPTIONS="$common:detect_leaks=1:abort_on_error=0:exitcode=99"
  export UBSAN_OPTIONS="$common:print_stacktrace=1:halt_on_error=1"
  export TSAN_OPTIONS="$common:halt_on_error=0:exitcode=66"
  [ ! -f tests/tsan.supp ] || TSAN_OPTIONS+=":suppressions=$root/tests/tsan.supp"
}
