# ./dev ha: failover of PostgreSQL under load. Its packages are those of requirements.txt below `# --- ha`.

ha() {
  setup ha
  build release
  env -C tests CALL_SERVICE_BINARY="$root/build/release/call-service" \
    npx --no-install vitest run --project ha --disable-console-intercept
}
