#!/bin/bash
# test.sh KEY: puts the service on 127.0.0.1:8000 behind nginx, then behind Caddy, with the configurations beside this
# file, and asks for something through each. In a bare system, as root: see ../test-deb-inside.sh.
set -euo pipefail
here=$(dirname "$(realpath "$0")")

# ask [CURL OPTION…]: GET /calls/… of nobody's must come back from the service itself, with and without a key.
ask() {
  local url=https://calls.example.com/calls/01234567-89ab-7def-8123-456789abcdef status
  status=$(curl -sk -o /tmp/proxied.json -w '%{http_code}' --resolve calls.example.com:443:127.0.0.1 "$@" "$url")
  grep -q '"request_id"' /tmp/proxied.json || { echo "no answer of the service: $status"; exit 1; }
  echo "$status"
}

expect_service() {
  [ "$(ask)" = 401 ] || { echo "$1: no 401 without a key"; exit 1; }
  [ "$(ask -H "X-API-Key: $2")" = 404 ] || { echo "$1: the key does not arrive"; exit 1; }
  echo "$1 passes requests on"
}

systemctl stop nginx caddy
mkdir -p /etc/ssl/calls
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=calls.example.com \
  -keyout /etc/ssl/calls/privkey.pem -out /etc/ssl/calls/fullchain.pem 2>/dev/null
cp "$here/nginx.conf" /etc/nginx/sites-enabled/calls.conf
nginx -t -q
systemctl start nginx
expect_service nginx "$1"
systemctl stop nginx

# No certificate authority is reachable: Caddy signs by itself.
{ printf '{\n\tlocal_certs\n\tskip_install_trust\n}\n'; cat "$here/Caddyfile"; } >/etc/caddy/Caddyfile
caddy validate --config /etc/caddy/Caddyfile >/dev/null 2>&1
systemctl start caddy
for _ in $(seq 50); do curl -sk -o /dev/null --resolve calls.example.com:443:127.0.0.1 https://calls.example.com/health && break; sleep 0.2; done
expect_service Caddy "$1"
systemctl stop caddy
