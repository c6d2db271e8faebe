import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { databaseKinds } from '../support/database.ts';
import { Running } from '../support/process.ts';
import { withScene } from '../support/scene.ts';
import { secrets } from '../support/service.ts';

const seconds = Number(process.env.FUZZ_SECONDS ?? 600);
const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

it.each(databaseKinds)(
  'no request that schemathesis makes up is answered outside the document (%s)',
  async (kind) => {
    await withScene(kind, {}, async ({ service }) => {
      const run = new Running(process.env.SCHEMATHESIS ?? 'schemathesis', [
        ...['--no-color', '--config-file', file('schemathesis.toml'), 'run', `${service.url}/openapi.json`],
        ...['--checks', 'all', '--max-time', String(seconds), '--continue-on-failure'],
        ...['-H', `X-API-Key: ${secrets.backendKey}`],
      ], { env: { ...process.env, SCHEMATHESIS_HOOKS: file('sign.py'), LIVEKIT_API_KEY: secrets.livekitKey, LIVEKIT_API_SECRET: secrets.livekitSecret } });
      const { code, stdout, stderr } = await run.finished();
      console.log(stdout.slice(stdout.search(/= (WARNINGS|SUMMARY) =/)));
      expect(code, stdout + stderr).toBe(0);
      expect(service.logs.filter(({ event, status }) => event === 'request' && Number(status) >= 500)).toEqual([]);
    });
  },
  seconds * 1000 + 120_000,
);
