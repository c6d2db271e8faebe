#!/usr/bin/env bash
# test-deb.sh FOLDER: installs the package of FOLDER (made by ./dev package) in a bare Debian 12 that systemd boots in a
# container of its own, uses it on SQLite and PostgreSQL, upgrades, removes and purges it. As root. The bare system is
# kept as a tar in BARE_FOLDER (default /var/tmp/call-service-bare) for the next time.
set -euo pipefail
folder=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
bare=${BARE_FOLDER:-/var/tmp/call-service-bare}
machine=$bare/machine-$$

[ "$(id -u)" = 0 ] || { echo "Run this as root: it makes and boots a system." >&2; exit 1; }
for tool in debootstrap systemd-nspawn; do
  command -v "$tool" >/dev/null || apt-get install -y -q --no-install-recommends debootstrap systemd-container >/dev/null
done

# A minimal system, with what the tests need already fetched: the container itself has no network but its own loopback.
make_base() {
  local mirror root=$bare/base c
  mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -1)
  mkdir -p "$bare"
  rm -rf "$root"
  debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,curl,ca-certificates bookworm "$root" \
    "${mirror:-http://deb.debian.org/debian}" >"$bare/debootstrap.log"
  for c in /etc/apt /etc/ssl/certs /etc/resolv.conf; do rm -rf "${root:?}$c"; cp -rL "$c" "$root$c"; done
  cp "$1" "$root/root/call-service.deb"
  chroot "$root" apt-get update -q >>"$bare/debootstrap.log"
  chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --download-only --no-install-recommends \
    /root/call-service.deb postgresql nginx-light caddy openssl >>"$bare/debootstrap.log"
  tar -C "$root" -cf "$bare/base.tar.new" .
  mv "$bare/base.tar.new" "$bare/base.tar"
  rm -rf "$root"
}

# The same package under the next version, as an upgrade sees it.
make_next_version() {
  local tree=$machine.next
  dpkg-deb -R "$1" "$tree"
  sed -i 's/^Version: .*/&+next/' "$tree/DEBIAN/control"
  dpkg-deb --root-owner-group -b "$tree" "$2" >/dev/null
  rm -rf "$tree"
}

package=$(ls "$folder"/call-service_*.deb)
[ -f "$bare/base.tar" ] || { echo "Making a bare Debian 12 (once)"; make_base "$package"; }
trap 'rm -rf --one-file-system "$machine" "$machine.next"' EXIT
mkdir -p "$machine"
tar -C "$machine" -xf "$bare/base.tar"
cp "$package" "$machine/root/call-service.deb"
make_next_version "$package" "$machine/root/call-service-next.deb"
cp -r "$here/../packaging" "$machine/root/packaging"
install -m 0755 "$here/test-deb-inside.sh" "$machine/root/test.sh"
# What container images add: no service starts, and fetched packages are thrown away after use.
rm -f "$machine/usr/sbin/policy-rc.d" "$machine"/etc/apt/apt.conf.d/docker-*
cat >"$machine/etc/systemd/system/call-service-test.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
Environment=HOME=/root
WorkingDirectory=/root
ExecStart=/bin/sh -c '/root/test.sh >/root/result.txt 2>&1; echo $? >/root/status.txt; systemctl exit 0'
[Install]
WantedBy=default.target
UNIT
mkdir -p "$machine/etc/systemd/system/default.target.wants"
ln -s ../call-service-test.service "$machine/etc/systemd/system/default.target.wants/"
timeout 600 systemd-nspawn --quiet --register=no --keep-unit --private-network -D "$machine" --boot \
  </dev/null >"$bare/boot.log" 2>&1 || true
cat "$machine/root/result.txt"
[ "$(cat "$machine/root/status.txt")" = 0 ]
