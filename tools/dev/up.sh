# ./dev up: the service on SQLite and a LiveKit server that reports to it, until Ctrl-C.

up() {
  host=${HOST:-127.0.0.1} port=${PORT:-8000} livekit_port=${LIVEKIT_PORT:-7880}
  case $host in 0.0.0.0 | ::) local_host=127.0.0.1 ;; *) local_host=$host ;; esac
  livekit= own_livekit_url=${LIVEKIT_URL:-}
  install_packages build
  [ -n "$own_livekit_url" ] || use_livekit || true
  build release call-service || exit 1
  load_secrets
  require_free_port "$local_host" "$port" PORT
  [ -z "$livekit" ] || require_free_port 127.0.0.1 "$livekit_port" LIVEKIT_PORT

  pids=() names=() logs=()
  trap stop_all EXIT
  trap 'exit 0' INT TERM HUP
  [ -z "$livekit" ] || start_livekit
  start_service
  print_first_call
  wait_for_the_end
}

# Made once; later runs, and the tokens that clients still hold, keep working with them.
load_secrets() {
  local variable kept=()
  if [ ! -f .dev/secrets.env ]; then
    say "Making development secrets in .dev/secrets.env"
    (umask 077 && make_secrets >.dev/secrets.env.new && mv .dev/secrets.env.new .dev/secrets.env)
  fi
  if [ -n "$own_livekit_url" ]; then # its own credentials go before the made ones
    for variable in LIVEKIT_API_KEY LIVEKIT_API_SECRET; do
      [ -n "${!variable:-}" ] || fail "LIVEKIT_URL is set, but $variable is not: set the key pair of that server."
      kept+=("$variable=${!variable}")
    done
  fi
  set -a
  # shellcheck source=/dev/null
  source .dev/secrets.env
  set +a
  [ ${#kept[@]} -eq 0 ] || export "${kept[@]}"
}

random_hex() { head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

make_secrets() {
  cat <<TXT
LIVEKIT_API_KEY=APIdev$(random_hex 4)
LIVEKIT_API_SECRET=$(random_hex 32)
AUTH_API_KEYS=dev:$(random_hex 20)
AUTH_JWT_SECRET=$(random_hex 32)
TXT
}

require_free_port() {
  ! (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null || fail "Port $2 on $1 is taken (perhaps by another ./dev up)." \
    "Stop that program, or choose another port: $3=$(($2 + 10)) ./dev up"
}

# http_status HOST PORT PATH: the status of a GET; nothing where nobody answers.
http_status() (
  exec 3<>"/dev/tcp/$1/$2" || exit 0
  printf 'GET %s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n\r\n' "$3" "$1" "$2" >&3
  read -r -t 2 _ status _ <&3 && printf '%s' "$status"
) 2>/dev/null

# start NAME LOG COMMAND…: in a session of its own, so that Ctrl-C reaches this script only, which then stops it in order.
start() {
  say "Starting the $1"
  mkdir -p .dev/logs
  setsid "${@:3}" >"$2" 2>&1 </dev/null &
  pids+=($!) names+=("$1") logs+=("$2")
}

# wait_until_ready HOST PORT PATH: of what was started last.
wait_until_ready() {
  local deadline=$((SECONDS + 30))
  until [ "$(http_status "$@")" = 200 ]; do
    kill -0 "${pids[-1]}" 2>/dev/null || give_up "The ${names[-1]} stopped while starting." "${logs[-1]}"
    [ $SECONDS -lt $deadline ] || give_up "The ${names[-1]} did not answer http://$1:$2$3 within 30 s." "${logs[-1]}"
    sleep 0.1
  done
}

# give_up MESSAGE LOG
give_up() { fail "$1" "$(tail -n 20 "$2" | sed 's/^/  | /')" "The whole log: $2"; }

start_livekit() {
  LIVEKIT_URL=ws://127.0.0.1:$livekit_port
  export LIVEKIT_URL
  (umask 077 && write_livekit_config >.dev/livekit.yaml)
  start "LiveKit server" .dev/logs/livekit.log "$livekit" --config .dev/livekit.yaml
  wait_until_ready 127.0.0.1 "$livekit_port" /
}

# Loopback only: node_ip keeps it from asking public STUN servers for its address, stun_servers from handing them out.
write_livekit_config() {
  cat <<YAML
port: $livekit_port
bind_addresses: ["127.0.0.1"]
keys: { "$LIVEKIT_API_KEY": "$LIVEKIT_API_SECRET" }
rtc:
  udp_port: $((livekit_port + 2))
  tcp_port: 0
  node_ip: 127.0.0.1
  use_external_ip: false
  enable_loopback_candidate: true
  interfaces: { includes: [lo] }
  stun_servers: ["127.0.0.1:3478"]
room: { auto_create: true }
webhook:
  api_key: "$LIVEKIT_API_KEY"
  urls: ["http://$local_host:$port/webhooks/livekit"]
  resource_url_notifier: { max_age: 10m, max_depth: 2000 }
logging: { level: info, json: false }
YAML
}

start_service() {
  export HOST=$host PORT=$port DATABASE_URL=${DATABASE_URL:-sqlite:///.dev/call-service.db}
  export MIGRATE_ON_START=${MIGRATE_ON_START:-true} LOG_FORMAT=${LOG_FORMAT:-text}
  export CORS_ALLOW_ORIGINS=${CORS_ALLOW_ORIGINS:-*} # a page under development may come from anywhere
  start service .dev/logs/call-service.log build/release/call-service serve
  wait_until_ready "$local_host" "$port" /ready
}

print_first_call() {
  local url=http://$local_host:$port key=${AUTH_API_KEYS#*:}
  local post="curl -sS -w '\\n' -X POST -H 'X-API-Key: $key'"
  cat <<TXT

Call & Session Service is running.

  API          $url
  LiveKit      ${LIVEKIT_URL:-none: calls are recorded, but nobody can connect}
  Service key  $key
  Database     $(sed 's#://[^/@]*@#://…@#' <<<"$DATABASE_URL")
  Logs         ${logs[*]}
  Secrets      .dev/secrets.env

In another terminal: start a call, join it as a second user, end it.

CALL=\$($post -H 'Content-Type: application/json' -d '{"caller_id":"alice"}' $url/calls | tee /dev/stderr | sed 's/.*"call_id":"\([^"]*\)".*/\1/')
$post $url/calls/\$CALL/join/bob
$post $url/calls/\$CALL/end

Ctrl-C stops everything.
TXT
}

# Returns only by a signal's trap; a program that stops by itself is a failure.
wait_for_the_end() {
  local ended i
  wait -n -p ended "${pids[@]}" || true
  for i in "${!pids[@]}"; do
    [ "${pids[i]}" != "$ended" ] || give_up "The ${names[i]} stopped by itself." "${logs[i]}"
  done
}

# LiveKit first, so that the service still hears who left. It drains until a second SIGTERM.
stop_all() {
  trap '' HUP
  trap 'kill -KILL "${pids[@]}" 2>/dev/null' INT TERM
  [ ${#pids[@]} -eq 0 ] || say "" "Stopping (Ctrl-C again: at once)"
  if [ -n "$livekit" ] && [ ${#pids[@]} -gt 0 ]; then
    stop "${pids[0]}" TERM 1 || stop "${pids[0]}" TERM 3 || stop "${pids[0]}" KILL 1 || true
  fi
  [ ${#pids[@]} -eq 0 ] || stop "${pids[-1]}" TERM 12 || stop "${pids[-1]}" KILL 1 || true
}

# stop PID SIGNAL SECONDS: whether it is gone within that time.
stop() {
  local deadline=$((SECONDS + $3 + 1))
  kill "-$2" "$1" 2>/dev/null || return 0
  while kill -0 "$1" 2>/dev/null; do
    [ $SECONDS -lt $deadline ] || return 1
    sleep 0.1
  done
}
