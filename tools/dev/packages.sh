# Debian packages, as listed in requirements.txt and requirements-common.txt: one a line, `a | b` where releases differ in
# names, `# reason` behind it. What stands below a line `# --- tests` is needed for testing and linting only; below
# `# --- ha` and `# --- profile`, for the commands of these names only.

# One line per package of the group (build, all, or ha or profile, which are all and more): its alternatives, separated by blanks.
required_packages() {
  awk -v group="$1" '
    FNR == 1 { section = "build" }
    /^# --- / { section = $3 }
    { sub(/#.*/, ""); gsub(/\|/, " ") }
    NF && (section == "build" || (section == "tests" && group != "build") || section == group) { $1 = $1; print }' \
    requirements.txt requirements-common.txt
}

# Of lines of alternatives on stdin, those of which none is installed.
without_installed() {
  awk 'NR == FNR { if ($2 == "ii") installed[$1] = 1; next }
       { for (i = 1; i <= NF; i++) if ($i in installed) next; print }' \
    <(dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n') -
}

# Of lines of alternatives on stdin, the first of each that apt can install; lines without one go to stderr.
choose_available() {
  local line
  while IFS= read -r line; do
    # shellcheck disable=SC2086
    apt-cache policy $line | awk -v line="$line" '
      /^[^ ]/ { name = $1; sub(/:$/, "", name) }
      /^  Candidate:/ && $2 != "(none)" && !found { print name; found = 1 }
      END { if (!found) print line > "/dev/stderr" }'
  done
}

apt_get() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@"; }

update_packages() { step "Updating the list of Debian packages" .dev/logs/apt-update.log apt_get update; }

install_packages() {
  local missing chosen unknown=.dev/logs/apt-unknown.txt
  if ! has apt-get; then
    say "No apt-get here: install by hand what requirements.txt and requirements-common.txt list. Going on without."
    return 0
  fi
  missing=$(required_packages "$1" | without_installed)
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" != 0 ]; then
    has sudo || fail "Debian packages are missing, and only root can install them. Run as root (or install sudo):" \
      "  apt-get install $(choose_available <<<"$missing" 2>/dev/null | xargs)"
    say "Debian packages are missing; installing them with sudo."
    sudo -v || fail "sudo was refused."
  fi
  mkdir -p .dev/logs
  chosen=$(choose_available <<<"$missing" 2>$unknown)
  if [ -s $unknown ]; then
    update_packages
    chosen=$(choose_available <<<"$missing" 2>$unknown)
  fi
  [ ! -s $unknown ] || fail "apt knows none of these packages:" "$(sed 's/ / | /g; s/^/  /' $unknown)" \
    "Debian 12 or newer, or Ubuntu 24.04 with its component universe, has them."
  install_chosen "$chosen"
}

# Runs a command while Debian packages start no service of theirs: the tests run PostgreSQL and Prometheus themselves, on
# ports of their own.
without_starting_services() (
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then # else it is somebody's own, as in containers
    trap 'as_root rm -f $policy' EXIT
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod 755 $policy
  fi
  "$@"
)

# Once more with a fresh list if it fails: an old one names files that the mirror no longer has.
install_chosen() {
  local names
  mapfile -t names <<<"$1"
  local install=("Installing ${#names[@]} Debian packages: ${names[*]}" .dev/logs/apt-install.log
    without_starting_services apt_get install -y --no-install-recommends "${names[@]}")
  attempt "${install[@]}" && return
  update_packages
  step "${install[@]}"
}
