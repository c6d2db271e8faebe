import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Api } from '../support/api.ts';
import { SqliteDatabase } from '../support/database.ts';
import { IdentityProvider, Signer, type Behaviour } from '../support/identity-provider.ts';
import { Service, userToken, type Environment } from '../support/service.ts';
import { expectProblem } from '../support/suite.ts';
import { until } from '../support/wait.ts';

class Scene {
  private constructor(
    readonly database: SqliteDatabase,
    readonly service: Service,
    readonly api: Api,
  ) {}

  /** Plays with a service of its own and clears it away, whatever happens. */
  static async play(environment: (database: SqliteDatabase) => Environment | Promise<Environment>, play: (scene: Scene) => Promise<void>): Promise<void> {
    const database = await SqliteDatabase.create();
    const service = await Service.start(database, await environment(database));
    const scene = new Scene(database, service, new Api(service.port));
    try {
      await play(scene);
    } finally {
      scene.api.close();
      await service.stop();
      await database.remove();
    }
  }

  async status(signer: Signer, header: Record<string, unknown> = {}): Promise<number> {
    return (await this.api.startCall({}, { as: await signer.token({}, header) })).status;
  }

  async ready(): Promise<{ status: number; jwks: { status: string; keys: number; fetched_at: string | null; last_error: string | null } }> {
    const { status, body } = await this.api.get('/ready');
    return { status, jwks: body.checks.jwks };
  }

  /** The read at start is over, well or not. */
  async settled(): Promise<void> {
    await until(async () => (await this.ready()).jwks.status !== 'pending', { what: 'the JWK set was asked for' });
  }
}

const jwksOnly: Environment = { AUTH_API_KEYS: undefined, AUTH_JWT_SECRET: undefined, AUTH_JWT_SECRET_PREVIOUS: undefined };

describe('keys of a JWK set', () => {
  it('that are new are read once for a hundred requests at the same time', async () => {
    const [old, fresh] = [await Signer.make('ES256', 'old'), await Signer.make('ES256', 'new')];
    const provider = await IdentityProvider.start(old);
    await Scene.play(() => ({ AUTH_JWKS_URL: provider.url }), async (scene) => {
      expect(await scene.status(old)).toBe(201);
      expect(provider.requests).toBe(1);
      provider.publish(old, fresh);
      const token = await fresh.token();
      const answers = await Promise.all(Array.from({ length: 100 }, () => scene.api.startCall({}, { as: token })));
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(100);
      expect(provider.requests).toBe(2);
    });
  });

  it('that are made up cost the provider one request', async () => {
    const signer = await Signer.make('EdDSA', 'known');
    const provider = await IdentityProvider.start(signer);
    await Scene.play(() => ({ AUTH_JWKS_URL: provider.url }), async (scene) => {
      expect(await scene.status(signer)).toBe(201);
      for (let round = 0; round < 3; round += 1) {
        const statuses = await Promise.all(Array.from({ length: 50 }, (_, i) => scene.status(signer, { kid: `made-up-${round}-${i}` })));
        expect(new Set(statuses)).toEqual(new Set([401]));
      }
      expect(provider.requests).toBe(2);
      expect(await scene.status(signer)).toBe(201);
    });
  });

  it('that are gone from it are gone from the service after the next read', async () => {
    const [old, fresh] = [await Signer.make('RS256', 'old'), await Signer.make('RS256', 'new')];
    const provider = await IdentityProvider.start(old);
    await Scene.play(() => ({ AUTH_JWKS_URL: provider.url }), async (scene) => {
      expect(await scene.status(old)).toBe(201);
      provider.publish(fresh);
      expect(await scene.status(old)).toBe(201);
      expect(await scene.status(fresh)).toBe(201);
      expect(await scene.status(old)).toBe(401);
      expect((await scene.ready()).jwks).toMatchObject({ status: 'ok', keys: 1 });
    });
  });

  it('are read from a file, and anew when it has changed', async () => {
    const [old, fresh] = [await Signer.make('EdDSA', 'old'), await Signer.make('EdDSA', 'new')];
    const write = async (file: string, ...signers: Signer[]) => {
      await writeFile(`${file}.new`, JSON.stringify({ keys: signers.map(({ jwk }) => jwk) }));
      await rename(`${file}.new`, file);
    };
    let file = '';
    const environment = async (database: SqliteDatabase) => {
      file = join(database.directory, 'key set.json');
      await write(file, old);
      return { AUTH_JWKS_URL: `file://${file.replaceAll(' ', '%20')}` };
    };
    await Scene.play(environment, async (scene) => {
      expect(await scene.status(old)).toBe(201);
      await write(file, fresh);
      expect(await scene.status(fresh)).toBe(201);
      expect(await scene.status(old)).toBe(401);
    });
  });

  it('are read over TLS where the certificate is trusted', async () => {
    const signer = await Signer.make('ES256', 'key');
    const provider = await IdentityProvider.startTls(signer);
    await Scene.play(() => ({ AUTH_JWKS_URL: provider.url, SSL_CERT_FILE: provider.certificate }), async (scene) => {
      expect(await scene.status(signer)).toBe(201);
    });
    await Scene.play(() => ({ AUTH_JWKS_URL: provider.url }), async (scene) => {
      await scene.settled();
      expect(await scene.status(signer)).toBe(401);
      expect((await scene.ready()).jwks).toMatchObject({ status: 'failing', keys: 0, last_error: expect.stringMatching(/certificate/) });
    });
  });
});

describe('a token of a key that is not known yet', () => {
  it.each([
    ['and never is', false, 401, 'unauthorized'],
    ['and is when the set is read anew', true, 403, 'forbidden'],
  ] as const)('opens nothing that needs a service key: %s', async (_name, published, status, code) => {
    const [known, fresh] = [await Signer.make('EdDSA', 'known'), await Signer.make('EdDSA', 'new')];
    const provider = await IdentityProvider.start(known);
    await Scene.play(() => ({ AUTH_JWKS_URL: provider.url, WORKERS: '1' }), async (scene) => {
      if (published) provider.publish(known, fresh);
      expect((await scene.api.get('/metrics')).status).toBe(200);
      expectProblem(await scene.api.get('/metrics', { as: await fresh.token() }), status, code);
    });
    await provider.stop();
  });
});

describe('a JWK set that cannot be read', () => {
  const faults: Record<string, { behave: (provider: IdentityProvider) => unknown; error: RegExp }> = {
    'refuses connections': { behave: (provider) => provider.stop(), error: /connecting/ },
    ...Object.fromEntries(
      (
        [
          ['hang', /timed out/],
          ['trickle', /timed out/],
          ['error', /status 500/],
          ['redirect', /status 302; redirects are not followed/],
          ['garbage', /no JSON/],
          ['no_keys', /no usable key/],
          ['huge', /larger than 1 MiB/],
        ] as [Behaviour, RegExp][]
      ).map(([behaviour, error]) => [behaviour, { behave: (provider: IdentityProvider) => (provider.behaviour = behaviour), error }]),
    ),
  };

  it.each(Object.entries(faults))('(%s) leaves the last good keys, and /ready tells', async (_name, { behave, error }) => {
    const [known, fresh] = [await Signer.make('EdDSA', 'known'), await Signer.make('EdDSA', 'new')];
    const provider = await IdentityProvider.start(known);
    await Scene.play(() => ({ AUTH_JWKS_URL: provider.url, ...jwksOnly }), async (scene) => {
      expect(await scene.status(known)).toBe(201);
      const before = (await scene.ready()).jwks;
      provider.publish(fresh);
      await behave(provider);
      expectProblem(await scene.api.startCall({}, { as: await fresh.token() }), 401, 'unauthorized');
      const after = await until(async () => {
        const seen = await scene.ready();
        return seen.jwks.status === 'failing' && seen;
      });
      expect(after).toMatchObject({ status: 200, jwks: { keys: 1, fetched_at: before.fetched_at, last_error: expect.stringMatching(error) } });
      expect(await scene.status(known)).toBe(201);
      expect(provider.strayRequests).toBe(0);
      await until(() => scene.service.logs.find(({ event, level }) => event === 'jwks_failing' && level === 'warning'));
    });
  });

  it('does not keep the service from starting, nor others from authenticating', async () => {
    const signer = await Signer.make('RS256', 'key');
    const provider = await IdentityProvider.start(signer);
    await provider.stop();
    await Scene.play(() => ({ AUTH_JWKS_URL: provider.url }), async (scene) => {
      await scene.settled();
      expect(await scene.ready()).toMatchObject({ status: 200, jwks: { status: 'failing', keys: 0, fetched_at: null } });
      expect((await scene.api.startCall({ caller_id: 'user' })).status).toBe(201);
      expect((await scene.api.startCall({}, { as: userToken('user') })).status).toBe(201);
      await provider.listen();
      expect(await scene.status(signer)).toBe(201);
      expect((await scene.ready()).jwks).toMatchObject({ status: 'ok', keys: 1, last_error: null });
    });
  });

  it('makes a service unready that has never had a key and knows no other credential', async () => {
    const signer = await Signer.make('RS256', 'key');
    const provider = await IdentityProvider.start(signer);
    provider.behaviour = 'error';
    await Scene.play(() => ({ AUTH_JWKS_URL: provider.url, ...jwksOnly }), async (scene) => {
      await scene.settled();
      expect((await scene.ready()).status).toBe(503);
      provider.behaviour = 'normal';
      expect(await scene.status(signer)).toBe(201);
      expect((await scene.ready()).status).toBe(200);
      provider.behaviour = 'error';
      expect((await scene.ready()).status).toBe(200);
    });
  });

  it('comes back by itself', async () => {
    const signer = await Signer.make('RS256', 'key');
    const provider = await IdentityProvider.start(signer);
    provider.behaviour = 'garbage';
    await Scene.play(() => ({ AUTH_JWKS_URL: provider.url }), async (scene) => {
      await scene.settled();
      provider.behaviour = 'normal';
      await until(async () => (await scene.ready()).jwks.status === 'ok', { timeout: 25_000 });
      expect(provider.requests).toBe(2);
    });
  });

  it('holds up nobody else while a request waits for it', async () => {
    const signer = await Signer.make('RS256', 'key');
    const provider = await IdentityProvider.start(signer);
    await Scene.play(() => ({ AUTH_JWKS_URL: provider.url, WORKERS: '1' }), async (scene) => {
      expect(await scene.status(signer)).toBe(201);
      provider.behaviour = 'hang';
      let waiting = true;
      const waits = scene.status(signer, { kid: 'unknown' }).finally(() => (waiting = false));
      await until(() => provider.requests === 2);
      expect(await scene.status(signer)).toBe(201);
      expect((await scene.api.startCall({}, { as: userToken('user') })).status).toBe(201);
      expect((await scene.api.startCall({ caller_id: 'user' })).status).toBe(201);
      expect(waiting).toBe(true);
      expect(await waits).toBe(401);
    });
  });

  it('does not hold up a stop', async () => {
    const signer = await Signer.make('RS256', 'key');
    const provider = await IdentityProvider.start(signer);
    await Scene.play(() => ({ AUTH_JWKS_URL: provider.url }), async (scene) => {
      expect(await scene.status(signer)).toBe(201);
      provider.behaviour = 'hang';
      const waits = scene.status(signer, { kid: 'unknown' });
      await until(() => provider.requests === 2);
      const stopped = scene.service.terminate();
      expect(await waits).toBe(401);
      expect((await stopped).code).toBe(0);
      await scene.service.restart();
    });
  });
});
