import { callEachOther, linkPackages } from './first-call.ts';
import { makeOldDatabase, readCopiedCalls } from './old-service.ts';
import type { World } from './world.ts';

/** What a page takes for granted beyond a checkout and a running service. */
export interface Setting {
  /** The page itself starts the service. */
  startsItself?: boolean;
  /** Environment variables that the page itself sets. */
  without?: string[];
  /** What names in the page stand for, beside the ports of service, LiveKit and page. */
  replace?: (world: World) => Record<string, string>;
  before?: (world: World) => Promise<void>;
  /** By the heading's anchor: what the reader does, or may expect, behind the commands of that section. */
  after?: Record<string, (world: World) => Promise<void>>;
  /** Where its SQL is run, instead of at DATABASE_URL. */
  sqlRunsAt?: (world: World) => string;
}

const clusterOf = (world: World) => world.scene!.database.url.replace(/[^/]*$/, 'postgres');

export const settings: Record<string, Setting> = {
  'README.md': { startsItself: true },
  'docs/how-to/coming-from-the-fastapi-service.md': {
    before: makeOldDatabase,
    after: { 'copy-the-ended-calls': readCopiedCalls },
  },
  'docs/how-to/high-availability.md': {
    without: ['DATABASE_URL'],
    // Of three servers, the first two are away.
    replace: (world) => {
      const url = new URL(world.scene!.database.url);
      const hosts = `127.0.0.1:1,127.0.0.1:1,${url.host}`;
      return { 'call_service:a%20long%20one@db1.example.com,db2.example.com,db3.example.com/calls': `${url.username}@${hosts}${url.pathname}` };
    },
  },
  'docs/how-to/livekit.md': {
    startsItself: true,
    // No machine is asked that a test has not, and the ports are free ones.
    replace: ({ ports }) => ({
      'port: 7880': `port: ${ports.livekit}\nbind_addresses: ["127.0.0.1"]`,
      'rtc:\n': 'rtc:\n  node_ip: 127.0.0.1\n  stun_servers: ["127.0.0.1:3478"]\n',
      'tcp_port: 7881': 'tcp_port: 0',
      'udp_port: 7882': `udp_port: ${ports.page}`,
    }),
  },
  'docs/how-to/migrations.md': { startsItself: true },
  'docs/how-to/postgresql.md': {
    without: ['DATABASE_URL'],
    sqlRunsAt: clusterOf,
    replace: (world) => ({ 'db.example.com': new URL(world.scene!.database.url).host }),
  },
  'docs/how-to/test-your-integration.md': {
    startsItself: true,
    replace: ({ ports }) => ({ '--port 7880': `--port ${ports.livekit}`, 7879: String(ports.page) }),
  },
  'docs/tutorial/first-call.md': {
    startsItself: true,
    before: linkPackages,
    after: { '3-serve-the-page': callEachOther },
  },
};
