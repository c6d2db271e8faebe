#!/bin/sh
# Makes .env with secrets and livekit.yaml with the key's name, for compose.yaml. What is there already is kept.
set -eu
cd "$(dirname "$0")"
umask 077

random_hex() { head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

if [ ! -e .env ]; then
  cat >.env <<ENV
POSTGRES_PASSWORD=$(random_hex 20)
LIVEKIT_API_KEY=API$(random_hex 6)
LIVEKIT_API_SECRET=$(random_hex 32)
AUTH_API_KEYS=backend:$(random_hex 20)
AUTH_JWT_SECRET=$(random_hex 32)
ENV
fi
key=$(sed -n 's/^LIVEKIT_API_KEY=//p' .env)
[ -e livekit.yaml ] || sed "s/^  api_key: .*/  api_key: $key/" livekit.template.yaml >livekit.yaml
chmod 0644 livekit.yaml # LiveKit's container reads it; the secrets are in .env only
echo "Secrets are in $(pwd)/.env"
