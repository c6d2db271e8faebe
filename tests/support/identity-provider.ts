import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTHeaderParameters } from 'jose';
import { atEndOfFile } from './cleanup.ts';
import { nowSeconds } from './jwt.ts';
import { check, freePort } from './process.ts';

export type Algorithm = 'RS256' | 'ES256' | 'EdDSA';
export const algorithms: Algorithm[] = ['RS256', 'ES256', 'EdDSA'];

/** A key pair of an identity provider. */
export class Signer {
  private constructor(
    readonly algorithm: Algorithm,
    readonly kid: string,
    readonly privateKey: CryptoKey,
    /** As it is published. */
    readonly jwk: JWK,
  ) {}

  static async make(algorithm: Algorithm, kid: string): Promise<Signer> {
    const curve = algorithm === 'EdDSA' ? { crv: 'Ed25519' } : {};
    const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true, ...curve });
    return new Signer(algorithm, kid, privateKey, { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' });
  }

  /** A token for a user, right in everything that is not changed here; undefined takes a member away. */
  token(claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): Promise<string> {
    const all = { alg: this.algorithm, kid: this.kid, typ: 'JWT', ...header };
    const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    return new SignJWT({ sub: 'user', exp: nowSeconds() + 600, ...claims }).setProtectedHeader(sent as JWTHeaderParameters).sign(this.privateKey);
  }
}

/** What the provider does with a request: answers with its keys, or one of the faults. */
export type Behaviour = 'normal' | 'hang' | 'trickle' | 'error' | 'redirect' | 'garbage' | 'no_keys' | 'huge';

/** Publishes a JWK set over HTTP or HTTPS, counts who asks, and fails on demand. */
export class IdentityProvider {
  behaviour: Behaviour = 'normal';
  /** Requests for the JWK set. */
  requests = 0;
  /** Requests for anything else: nobody has a reason to make one. */
  strayRequests = 0;
  keys: JWK[] = [];
  private server: http.Server | undefined;
  private readonly sockets = new Set<Socket>();

  private constructor(
    readonly port: number,
    /** The file with the certificate, if it speaks TLS. */
    readonly certificate: string | undefined,
    private readonly tls: https.ServerOptions | undefined,
  ) {}

  static async start(...signers: Signer[]): Promise<IdentityProvider> {
    const provider = new IdentityProvider(await freePort(), undefined, undefined);
    provider.publish(...signers);
    await provider.listen();
    return provider;
  }

  /** With a certificate for localhost that nobody trusts yet. */
  static async startTls(...signers: Signer[]): Promise<IdentityProvider> {
    const directory = await mkdtemp(join(tmpdir(), 'call-service-tls-'));
    atEndOfFile(() => rm(directory, { recursive: true, force: true }));
    const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    await check('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-keyout', key, '-out', certificate, ...subject]);
    const provider = new IdentityProvider(await freePort(), certificate, { key: readFileSync(key), cert: readFileSync(certificate) });
    provider.publish(...signers);
    await provider.listen();
    return provider;
  }

  /** The address of the JWK set. */
  get url(): string {
    const host = this.tls ? 'https://localhost' : 'http://127.0.0.1';
    return `${host}:${this.port}/keys?policy=sign-in&v=2`;
  }

  publish(...signers: Signer[]): void {
    this.keys = signers.map(({ jwk }) => jwk);
  }

  async listen(): Promise<void> {
    const listener: http.RequestListener = (request, response) => this.serve(request, response);
    const server = this.tls ? https.createServer(this.tls, listener) : http.createServer(listener);
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(this.port, '127.0.0.1', resolve));
    this.server = server;
    atEndOfFile(() => this.stop());
  }

  /** Refuses connections until it listens again. */
  async stop(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    for (const socket of this.sockets) socket.destroy();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  private serve(request: http.IncomingMessage, response: http.ServerResponse): void {
    if (request.url !== '/keys?policy=sign-in&v=2') {
      this.strayRequests += 1;
      response.writeHead(200).end(JSON.stringify({ keys: this.keys }));
      return;
    }
    this.requests += 1;
    const keys = JSON.stringify({ keys: this.keys });
    const answer = (status: number, body: string, headers: http.OutgoingHttpHeaders = {}): void => {
      response.writeHead(status, { 'content-type': 'application/jwk-set+json', ...headers }).end(body);
    };
    const answers: Record<Behaviour, () => void> = {
      normal: () => answer(200, keys),
      hang: () => undefined,
      trickle: () => void response.writeHead(200, { 'content-length': keys.length }).write(keys.slice(0, 5)),
      error: () => answer(500, keys),
      redirect: () => answer(302, keys, { location: `http://127.0.0.1:${this.port}/elsewhere` }),
      garbage: () => answer(200, '<html>Sign in</html>'),
      no_keys: () => answer(200, JSON.stringify({ keys: [{ kty: 'oct', k: 'AAAA', kid: 'x' }] })),
      huge: () => answer(200, JSON.stringify({ keys: this.keys, padding: 'x'.repeat(1024 * 1024) })),
    };
    answers[this.behaviour]();
  }
}
