# ./dev fuzz: requests made up from the API's document, on both databases.

schemathesis_wheel=schemathesis==4.32.5

# fuzz [MINUTES]
fuzz() {
  local minutes=${1:-10}
  [[ $minutes =~ ^[1-9][0-9]*$ ]] || fail "'$minutes' is no number of minutes."
  setup
  use_wheel $schemathesis_wheel schemathesis
  build release
  env -C tests FUZZ_SECONDS=$((minutes * 60)) SCHEMATHESIS="$wheel_venv/bin/schemathesis" \
    CALL_SERVICE_BINARY="$root/build/release/call-service" LIVEKIT_SERVER_BINARY="$livekit" \
    npx --no-install vitest run --project fuzz
}
