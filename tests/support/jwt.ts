import { createHmac } from 'node:crypto';

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** A compact JWS over any header and claims, right or wrong. */
export function signJwt(claims: object, secret: string, header: object = { alg: 'HS256', typ: 'JWT' }): string {
  const input = `${encode(header)}.${encode(claims)}`;
  const hash = `sha${String((header as { alg?: string }).alg ?? 'HS256').slice(2)}`;
  const known = ['sha256', 'sha384', 'sha512'].includes(hash);
  const signature = known ? createHmac(hash, secret).update(input).digest('base64url') : '';
  return `${input}.${signature}`;
}

/** The claims of a token, its signature not checked. */
export function claimsOf(token: string): Record<string, any> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
}

export function headerOf(token: string): Record<string, any> {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString('utf8'));
}
