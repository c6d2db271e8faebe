# ./dev chaos: faults strike a service under load; what it promised must be kept, and its database must equal LiveKit.

# chaos [--minutes N] [--seed S] [--database sqlite|postgresql] [--faults NAME,NAME…] [--livekit fake|real]
# chaos --outage MINUTES [--seed S] [--database sqlite|postgresql]
chaos() {
  local minutes=10 play=chaos variables=()
  while [ $# -gt 0 ]; do
    [ $# -gt 1 ] || fail "$1 needs a value."
    case $1 in
      --minutes) minutes=$2 ;;
      --outage) minutes=$2 play=outage ;;
      --seed) variables+=("CHAOS_SEED=$2") ;;
      --database) variables+=("CHAOS_DATABASE=$2") ;;
      --faults) variables+=("CHAOS_FAULTS=$2") ;;
      --livekit)
        case $2 in
          fake) play=chaos ;;
          real) play=real ;;
          *) fail "There is no LiveKit '$2'. There are: fake, real." ;;
        esac
        ;;
      *) fail "There is no option '$1'. Options: --minutes, --outage, --seed, --database, --faults, --livekit." ;;
    esac
    shift 2
  done
  [[ $minutes =~ ^[1-9][0-9]*$ ]] || fail "'$minutes' is no number of minutes."
  setup
  build release
  env -C tests "CHAOS_SECONDS=$((minutes * 60))" "${variables[@]}" \
    CALL_SERVICE_BINARY="$root/build/release/call-service" LIVEKIT_SERVER_BINARY="$livekit" \
    npx --no-install vitest run --project chaos "chaos/$play.test.ts"
}
