import { createHash, randomBytes } from 'node:crypto';
import { AccessToken } from 'livekit-server-sdk';
import type { Answer, Api } from './api.ts';
import { secrets } from './service.ts';

const word = (): string => randomBytes(9).toString('base64url').replace(/[-_]/g, 'x').slice(0, 12);

/** One generation of a room, as LiveKit tells of it. */
export interface Room {
  sid: string;
  name: string;
  createdAt: number;
}

/** One connection of a user. Times are milliseconds. */
export interface Connection {
  sid: string;
  identity: string;
  joinedAt: number;
  attributes?: Record<string, string>;
  kind?: string;
}

export interface Event {
  event: string;
  id: string;
  createdAt: string;
  room?: Record<string, unknown>;
  participant?: Record<string, unknown>;
  [member: string]: unknown;
}

export function roomOf(callId: string, createdAt: number = Date.now()): Room {
  return { sid: `RM_${word()}`, name: `call_${callId}`, createdAt };
}

export function connectionOf(identity: string, joinedAt: number = Date.now(), more: Partial<Connection> = {}): Connection {
  return { sid: `PA_${word()}`, identity, joinedAt, ...more };
}

/** A connection made with the token of a session: LiveKit copies the token's attributes. */
export function connectionFor(joined: { call_id: string; session_id: string }, identity: string, joinedAt: number = Date.now()): Connection {
  return connectionOf(identity, joinedAt, { attributes: { call_id: joined.call_id, session_id: joined.session_id } });
}

const seconds = (at: number): string => String(Math.floor(at / 1000));

function eventOf(event: string, at: number, parts: Partial<Event>): Event {
  return { event, ...parts, id: `EV_${word()}`, createdAt: seconds(at) };
}

function roomPart(room: Room): Record<string, unknown> {
  return {
    sid: room.sid,
    name: room.name,
    emptyTimeout: 60,
    departureTimeout: 20,
    creationTime: seconds(room.createdAt),
    creationTimeMs: String(room.createdAt),
    turnPassword: 'x',
    enabledCodecs: [{ mime: 'audio/opus' }, { mime: 'video/VP8' }],
  };
}

function participantPart(connection: Connection, state: string): Record<string, unknown> {
  return {
    sid: connection.sid,
    identity: connection.identity,
    state,
    joinedAt: seconds(connection.joinedAt),
    joinedAtMs: String(connection.joinedAt),
    version: 2,
    permission: { canSubscribe: true, canPublish: true, canPublishData: true },
    ...(connection.attributes ? { attributes: connection.attributes } : {}),
    ...(connection.kind ? { kind: connection.kind } : {}),
    clientProtocol: 1,
  };
}

/** The events, each with an id of its own; `at` is when LiveKit queued it. */
export const events = {
  started: (room: Room, at: number = Date.now()): Event => eventOf('room_started', at, { room: roomPart(room) }),
  finished: (room: Room, at: number = Date.now()): Event => eventOf('room_finished', at, { room: roomPart(room) }),
  joined: (room: Room, connection: Connection, at: number = Date.now()): Event =>
    eventOf('participant_joined', at, { room: roomPart(room), participant: participantPart(connection, 'ACTIVE') }),
  left: (room: Room, connection: Connection, reason = 'CLIENT_INITIATED', at: number = Date.now()): Event =>
    eventOf('participant_left', at, {
      room: roomPart(room),
      participant: { ...participantPart(connection, 'DISCONNECTED'), disconnectReason: reason },
    }),
  aborted: (room: Room, connection: Connection, reason = 'SIGNAL_CLOSE', at: number = Date.now()): Event =>
    eventOf('participant_connection_aborted', at, {
      room: roomPart(room),
      participant: { ...participantPart(connection, 'DISCONNECTED'), disconnectReason: reason },
    }),
  trackPublished: (room: Room, connection: Connection, at: number = Date.now()): Event =>
    eventOf('track_published', at, {
      room: { sid: room.sid, name: room.name },
      participant: { sid: connection.sid, identity: connection.identity },
      track: { sid: `TR_${word()}`, source: 'MICROPHONE', mimeType: 'audio/red' },
    }),
};

export interface Signing {
  key?: string;
  secret?: string;
}

export const sha256 = (body: string | Buffer): string => createHash('sha256').update(body).digest('base64');

/** The Authorization header that LiveKit would send with this body. */
export async function authorizationFor(body: string | Buffer, signing: Signing = {}): Promise<string> {
  const token = new AccessToken(signing.key ?? secrets.livekitKey, signing.secret ?? secrets.livekitSecret, { ttl: 300 });
  token.sha256 = sha256(body);
  return token.toJwt();
}

/** Sends a body the way LiveKit does. */
export async function deliverBody(api: Api, body: string | Buffer, headers: Record<string, string> = {}): Promise<Answer> {
  const authorization = headers.authorization ?? (await authorizationFor(body));
  return api.request('POST', '/webhooks/livekit', {
    body,
    as: null,
    headers: { 'content-type': 'application/webhook+json', 'user-agent': 'Go-http-client/1.1', ...headers, authorization },
  });
}

export const deliver = (api: Api, event: Event): Promise<Answer> => deliverBody(api, JSON.stringify(event));

/** Delivers in this order, each after the answer to the one before; their results. */
export async function deliverAll(api: Api, list: Event[]): Promise<string[]> {
  const results: string[] = [];
  for (const event of list) {
    const answer = await deliver(api, event);
    if (answer.status !== 200) throw new Error(`${event.event} was answered ${answer.status}: ${answer.text}`);
    results.push(answer.body.result);
  }
  return results;
}
