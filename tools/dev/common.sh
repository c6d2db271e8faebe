# Telling people what happens, and running long commands with their output in a log.

say() { printf '%s\n' "$@"; }

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# attempt TITLE LOG COMMAND…: says TITLE, runs COMMAND with its output in LOG, shows the log's end if it fails.
attempt() {
  local title=$1 log=$2 began=$SECONDS status=0 ticker=
  shift 2
  mkdir -p "$(dirname "$log")"
  : >"$log"
  say "$title"
  [ ! -t 1 ] || { show_last_line "$log" & ticker=$!; }
  "$@" >"$log" 2>&1 </dev/null || status=$?
  [ -z "$ticker" ] || { kill "$ticker" && wait "$ticker" || true; printf '\r\033[K'; } 2>/dev/null
  if [ $status -ne 0 ]; then
    tail -n 40 "$log" | sed 's/^/  | /'
    say "  Failed after $((SECONDS - began)) s. The whole log: $log"
  elif [ $((SECONDS - began)) -ge 2 ]; then
    say "  done in $((SECONDS - began)) s"
  fi
  return $status
}

step() { attempt "$@" || exit 1; }

# The progress of a long command on a terminal: its newest line, until this script is gone.
show_last_line() {
  local width
  width=$(tput cols 2>/dev/null || echo 80)
  while kill -0 $$ 2>/dev/null; do
    printf '\r\033[K  %s' "$(tail -n 1 "$1" | tr -d '\r' | cut -c "1-$((width - 4))")"
    sleep 0.5
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}
