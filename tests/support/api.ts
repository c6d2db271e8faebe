import http from 'node:http';
import { connect } from 'node:net';
import { breachOf } from './contract.ts';
import { within } from './wait.ts';
import { secrets } from './service.ts';

export interface Session {
  session_id: string;
  call_id: string;
  user_id: string;
  name: string;
  status: 'pending' | 'active' | 'ended';
  created_at: string;
  joined_at: string | null;
  left_at: string | null;
  disconnect_reason: string | null;
  end_reason: string | null;
}

export interface Call {
  call_id: string;
  caller_id: string;
  room_name: string;
  status: 'active' | 'ended';
  started_at: string;
  ended_at: string | null;
  end_reason: string | null;
  ended_by: string | null;
  ended_by_type: 'user' | 'service' | null;
  user_ids: string[] | null;
  max_participants: number | null;
  metadata: unknown;
  participant_count: number;
  room_deletion: 'pending' | 'done' | null;
}

export type CallWithSessions = Call & { sessions: Session[]; sessions_next_cursor: string | null };

export interface TokenMembers {
  livekit_token: string;
  livekit_token_expires_at: string;
  livekit_url: string;
  room_ready?: boolean;
}

export type StartedCall = Call & TokenMembers & { session_id: string };
export type Joined = TokenMembers & { call_id: string; session_id: string; user_id: string; room_name: string };

export interface Fault {
  pointer?: string;
  parameter?: string;
  code: string;
  detail: string;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: string;
  request_id: string;
  errors?: Fault[];
}

export interface Answer<Body = any> {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
  body: Body;
}

export interface Options {
  /** Sent as JSON; a string or bytes are sent as they are, as JSON too. */
  body?: unknown;
  headers?: http.OutgoingHttpHeaders;
  /** The bearer credential of this request; null for none. */
  as?: string | null;
}

/** A client that sends exactly what it is told: it never rewrites a path. */
export class Api {
  private readonly agent = new http.Agent({ keepAlive: true });

  constructor(
    readonly port: number,
    private readonly credential: string | null = secrets.backendKey,
  ) {}

  close(): void {
    this.agent.destroy();
  }

  /** Rejects an answer that the API's own document does not know. */
  async request<Body = any>(method: string, path: string, options: Options = {}): Promise<Answer<Body>> {
    const answer = await this.send(method, path, options);
    const breach = breachOf(method, path, answer);
    if (breach !== undefined) throw new Error(`outside the API's document: ${breach}\n${answer.text}`);
    return answer;
  }

  private send(method: string, path: string, { body, headers = {}, as = this.credential }: Options): Promise<Answer> {
    const raw = typeof body === 'string' || Buffer.isBuffer(body);
    const content = body === undefined ? undefined : raw ? (body as string | Buffer) : JSON.stringify(body);
    const all: http.OutgoingHttpHeaders = { ...headers };
    const given = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
    if (as !== null && !given.has('authorization')) all.authorization = `Bearer ${as}`;
    if (content !== undefined && !given.has('content-type')) all['content-type'] = 'application/json';
    if (content !== undefined && !given.has('content-length') && !given.has('transfer-encoding')) {
      all['content-length'] = Buffer.byteLength(content);
    }
    return new Promise((resolve, reject) => {
      const request = http.request({ host: '127.0.0.1', port: this.port, method, path, headers: all, agent: this.agent });
      request.once('error', reject);
      request.once('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => resolve(answerOf(response.statusCode ?? 0, response.headers, Buffer.concat(chunks))));
      });
      request.end(content);
    });
  }

  get<Body = any>(path: string, options?: Options): Promise<Answer<Body>> {
    return this.request('GET', path, options);
  }

  post<Body = any>(path: string, body?: unknown, options: Options = {}): Promise<Answer<Body>> {
    return this.request('POST', path, { ...options, ...(body === undefined ? {} : { body }) });
  }

  startCall(body: unknown, options?: Options): Promise<Answer<StartedCall>> {
    return this.post('/calls', body, options);
  }

  join(call: string, user: string, body?: unknown, options?: Options): Promise<Answer<Joined>> {
    return this.post(`/calls/${call}/join/${encodeURIComponent(user)}`, body, options);
  }

  leave(call: string, user: string, body?: unknown, options?: Options): Promise<Answer<Session>> {
    return this.post(`/calls/${call}/leave/${encodeURIComponent(user)}`, body, options);
  }

  end(call: string, body?: unknown, options?: Options): Promise<Answer<Call>> {
    return this.post(`/calls/${call}/end`, body, options);
  }

  call(call: string, options?: Options): Promise<Answer<CallWithSessions>> {
    return this.get(`/calls/${call}`, options);
  }
}

function answerOf(status: number, headers: http.IncomingHttpHeaders, bytes: Buffer): Answer {
  const text = bytes.toString('utf8');
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  return { status, headers, text, body };
}

/** Writes bytes to a connection of its own and reads until the server closes it or `done` says so. */
export async function rawExchange(port: number, bytes: string | Buffer, done: (seen: string) => boolean = hasWholeResponse): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  let seen = '';
  const finished = new Promise<string>((resolve, reject) => {
    socket.on('data', (chunk) => {
      seen += chunk.toString('latin1');
      if (done(seen)) resolve(seen);
    });
    // A server that has answered may reset what it does not want to read.
    socket.on('error', (error) => (seen === '' ? reject(error) : resolve(seen)));
    socket.on('close', () => resolve(seen));
  });
  socket.write(bytes);
  try {
    return await within(finished, 15_000, 'an answer on the raw connection');
  } finally {
    socket.destroy();
  }
}

function hasWholeResponse(seen: string): boolean {
  const head = seen.indexOf('\r\n\r\n');
  if (head < 0) return false;
  const length = /\r\ncontent-length: *(\d+)/i.exec(seen.slice(0, head + 2))?.[1];
  return length !== undefined && seen.length >= head + 4 + Number(length);
}

/** Status and problem document of a raw response. */
export function parseRaw(seen: string): Answer<Problem> {
  const [head = '', ...rest] = seen.split('\r\n\r\n');
  const [line = '', ...headers] = head.split('\r\n');
  const named = headers.map((header) => [header.split(':', 1)[0]?.toLowerCase(), header.slice(header.indexOf(':') + 1).trim()]);
  return answerOf(Number(line.split(' ')[1]), Object.fromEntries(named), Buffer.from(rest.join('\r\n\r\n'), 'latin1'));
}
