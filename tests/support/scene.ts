import { expect } from 'vitest';
import { Api, type CallWithSessions, type Session } from './api.ts';
import { createDatabase, type Database, type DatabaseKind } from './database.ts';
import { expectInvariants } from './invariants.ts';
import { LiveKit } from './livekit.ts';
import { Service, type Environment } from './service.ts';
import { until } from './wait.ts';

/** A service and a real LiveKit that know each other, on a database of their own. */
export class Scene {
  private constructor(
    readonly database: Database,
    readonly livekit: LiveKit,
    readonly service: Service,
    readonly api: Api,
  ) {}

  /** `route`: from the service's address for webhooks to the one that LiveKit is given. */
  static async start(kind: DatabaseKind, changes: Environment = {}, route: (url: string) => Promise<string> = async (url) => url): Promise<Scene> {
    const database = await createDatabase(kind);
    const livekit = await LiveKit.prepare({ autoCreate: changes.LIVEKIT_ROOM_CREATION !== 'on_start' });
    const service = await Service.start(database, { LIVEKIT_URL: livekit.url, RECONCILE_INTERVAL_SECONDS: undefined, ...changes });
    livekit.webhookUrl = await route(`${service.url}/webhooks/livekit`);
    await livekit.start();
    return new Scene(database, livekit, service, new Api(service.port));
  }

  async call(id: string): Promise<CallWithSessions> {
    return (await this.api.call(id)).body;
  }

  async session(id: string, sessionId: string): Promise<Session | undefined> {
    return (await this.call(id)).sessions.find((session) => session.session_id === sessionId);
  }

  /** Waits until a session is as told. */
  async sessionBecomes(id: string, sessionId: string, wanted: Partial<Session>, timeout = 10_000): Promise<Session> {
    let seen: Session | undefined;
    return until(
      async () => {
        seen = await this.session(id, sessionId);
        expect(seen).toMatchObject(wanted);
        return seen;
      },
      { timeout, what: `the session becomes ${JSON.stringify(wanted)}` },
    );
  }

  /** Waits until the call's room is deleted: LiveKit does not have it, and the service knows. */
  async roomIsGone(id: string, timeout = 15_000): Promise<void> {
    await until(async () => (await this.call(id)).room_deletion === 'done', { timeout, what: 'room_deletion is done' });
    await until(async () => !(await this.livekit.hasRoom(`call_${id}`)), { timeout, what: 'LiveKit does not have the room' });
  }

  async close(): Promise<void> {
    this.api.close();
    try {
      await this.service.stop();
      await expectInvariants(this.database);
    } finally {
      await this.livekit.kill();
      await this.database.remove();
    }
  }
}

/** Plays a scene and clears it away, whatever happens. */
export async function withScene(
  kind: DatabaseKind,
  changes: Environment,
  play: (scene: Scene) => Promise<void>,
  route?: (url: string) => Promise<string>,
): Promise<void> {
  const scene = await Scene.start(kind, changes, route);
  try {
    await play(scene);
  } catch (error) {
    // The reason is in the service's log more often than in the assertion.
    console.error(scene.service.output.split('\n').slice(-40).join('\n'));
    await scene.close().catch(() => undefined);
    throw error;
  }
  await scene.close();
}
