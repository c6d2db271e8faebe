#!/bin/bash
# Runs inside the bare system, with systemd as its first process: see test-deb.sh.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
settings=/etc/call-service/call-service.env
key=$(head -c 20 /dev/urandom | od -An -v -tx1 | tr -d ' \n')

step() { echo "== $*"; }
fail() { echo "FAILED: $*"; systemctl status call-service --no-pager -l || true; journalctl -u call-service --no-pager -n 30 || true; exit 1; }
install_local() { apt-get install -y -q --no-install-recommends "$@" >/root/apt.log 2>&1 || { tail -30 /root/apt.log; fail "apt-get install $*"; }; }
has_state() { [ "$(systemctl show -P ActiveState call-service)" = "$1" ] || fail "the service is $(systemctl show -P ActiveState call-service), not $1"; }
is_ready() { [ "$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8000/ready)" = 200 ] || fail "/ready"; }
calls() { curl -sf -H "X-API-Key: $key" "http://127.0.0.1:8000$1" "${@:2}"; }
doctor() {
  local status=0
  runuser -u call-service -- call-service --env-file $settings doctor >/root/doctor.txt || status=$?
  cat /root/doctor.txt
  # There is no LiveKit here: that, and nothing else, is the problem.
  [ $status = 1 ] && [ "$(grep -c ^problem /root/doctor.txt)" = 1 ] && grep -q '^problem livekit: .*refused' /root/doctor.txt || fail doctor
}

step "install: nothing runs before it is configured"
install_local /root/call-service.deb
has_state inactive
systemctl is-enabled -q call-service || fail "not enabled"
[ "$(stat -c '%a %U %G' $settings)" = "640 root call-service" ] || fail "the settings' rights"
for program in call-service call-service-fake-livekit; do
  [ -f /usr/share/man/man1/$program.1.gz ] || [ -f /etc/dpkg/dpkg.cfg.d/excludes ] || fail "no man page of $program"
done
for page in README.md docs/how-to/upgrade.md packaging/monitoring/alerts.yml packaging/proxy/nginx.conf; do
  [ -f /usr/share/doc/call-service/$page ] || [ -f /etc/dpkg/dpkg.cfg.d/excludes ] || fail "no $page"
done
[ "$(call-service-fake-livekit --version)" = "$(call-service --version | sed 's/^call-service/&-fake-livekit/')" ] || fail "the fake LiveKit"

step "an unconfigured start fails once, and says what is missing"
! systemctl start call-service 2>/dev/null || fail "it started without settings"
journalctl -u call-service --no-pager | grep -q 'LIVEKIT_API_SECRET: is required' || fail "it did not say why"
[ "$(systemctl show -P NRestarts call-service)" = 0 ] || fail "it was restarted in vain"
systemctl reset-failed call-service

step "configure; SQLite; start"
cat >>$settings <<ENV
LIVEKIT_API_KEY=APItest
LIVEKIT_API_SECRET=$(openssl rand -hex 32 2>/dev/null || head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
AUTH_API_KEYS=test:$key
ENV
systemctl start call-service || fail start
has_state active
is_ready
call=$(calls /calls -X POST -H 'Content-Type: application/json' -d '{"caller_id":"alice"}' | sed 's/.*"call_id":"\([^"]*\)".*/\1/')
[ "$(stat -c '%a %U' /var/lib/call-service/call-service.db)" = "600 call-service" ] || fail "the database's rights"
doctor

step "the unit's walls"
pid=$(systemctl show -P MainPID call-service)
[ "$(stat -c %U /proc/$pid)" = call-service ] || fail "it runs as somebody else"
grep -q '^NoNewPrivs:.*1' /proc/$pid/status || fail "NoNewPrivs"
grep -q '^Seccomp:.*2' /proc/$pid/status || fail "seccomp"
grep -q '^CapBnd:.*0000000000000000' /proc/$pid/status || fail "capabilities"
systemd-analyze verify --man=no call-service.service || fail verify
systemd-analyze security --no-pager call-service.service | tail -1

step "killed, it comes back with its data"
kill -KILL "$pid"
for _ in $(seq 100); do [ "$(systemctl show -P MainPID call-service)" != "$pid" ] && [ "$(systemctl show -P ActiveState call-service)" = active ] && break; sleep 0.1; done
is_ready
calls "/calls/$call" >/dev/null || fail "the call is lost"

step "upgrade: restarted, settings and data kept"
before=$(systemctl show -P MainPID call-service)
sum=$(sha256sum $settings)
install_local /root/call-service-next.deb
has_state active
[ "$(systemctl show -P MainPID call-service)" != "$before" ] || fail "not restarted"
[ "$(sha256sum $settings)" = "$sum" ] || fail "the settings changed"
is_ready
calls "/calls/$call" >/dev/null || fail "the call is lost"

step "PostgreSQL"
install_local postgresql
for _ in $(seq 100); do runuser -u postgres -- env -C / psql -qc 'select 1' >/dev/null 2>&1 && break; sleep 0.1; done
runuser -u postgres -- env -C / psql -qc "CREATE ROLE call_service LOGIN PASSWORD 'p4ss-w0rd'" -c "CREATE DATABASE calls OWNER call_service"
echo 'DATABASE_URL=postgresql://call_service:p4ss-w0rd@127.0.0.1/calls' >>$settings
systemctl stop call-service
[ "$(systemctl show -P Result call-service)" = success ] || fail "the stop"
dpkg-deb -x /root/call-service-next.deb /root/next
/root/next/usr/bin/call-service --env-file $settings migrate upgrade || fail migrate
systemctl start call-service || fail "start on PostgreSQL"
is_ready
calls /calls -X POST -H 'Content-Type: application/json' -d '{"caller_id":"bob"}' >/dev/null || fail "a call on PostgreSQL"
doctor

step "behind nginx and Caddy"
install_local nginx-light caddy openssl
/root/packaging/proxy/test.sh "$key" || fail proxies

step "remove: program gone, settings and data kept"
apt-get remove -y -q call-service >/root/apt.log 2>&1 || fail remove
[ ! -e /usr/bin/call-service ] && [ -e $settings ] && [ -d /var/lib/call-service ] || fail "after the removal"

step "purge: nothing left"
apt-get purge -y -q call-service >/root/apt.log 2>&1 || fail purge
left=$(find / -xdev -name '*call-service*' -not -path '/root/*' -not -path '/proc/*' -not -path '/sys/*' -not -path '/var/log/journal/*' \
  -not -name 'call-service-test.service' -not -path '/var/cache/*' -not -path '/run/*' -not -path '/tmp/*' || true)
[ -z "$left" ] || fail "left behind: $left"
! getent passwd call-service || fail "its user is left"
echo "All of it passed."
