import { expect, it } from 'vitest';
import { onEachDatabase, serve } from '../support/suite.ts';

onEachDatabase('the pages of /docs', (kind) => {
  const served = serve(kind);
  const get = (path: string, headers: Record<string, string> = {}) => served.api.get(path, { as: null, headers });

  it('name only files of this service, which are all there', async () => {
    const { status, headers, text } = await get('/docs');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    const files = [...text.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, file]) => file!);
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) {
      expect(file).toMatch(/^(docs\/[a-z0-9.-]+|openapi\.json)$/);
      expect((await get(`/${file}`)).status, file).toBe(200);
    }
    expect((await get('/docs/nothing.js')).status).toBe(404);
    expect((await get('/docs/../openapi.json')).status).toBe(404);
  });

  it('let nobody else frame them, nor put a script or a request into them', async () => {
    for (const path of ['/docs', '/docs/swagger-ui-bundle.js']) {
      const { headers } = await get(path);
      const policy = Object.fromEntries(String(headers['content-security-policy']).split('; ').map((rule) => rule.split(/ (.*)/, 2)));
      expect(policy, path).toMatchObject({ 'default-src': `'none'`, 'script-src': `'self'`, 'connect-src': `'self'`, 'frame-ancestors': `'none'`, 'base-uri': `'none'`, 'form-action': `'none'` });
      expect(headers, path).toMatchObject({ 'x-frame-options': 'DENY', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
    }
  });

  it('are packed for who takes gzip, the same for who does not, and sent once to who keeps them', async () => {
    const path = '/docs/swagger-ui.css';
    const plain = await get(path, { 'accept-encoding': 'identity' });
    expect(plain.headers['content-encoding']).toBeUndefined();
    const packed = await fetch(served.service.url + path, { headers: { 'accept-encoding': 'gzip' } });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(await packed.text()).toBe(plain.text);
    expect(packed.headers.get('vary')).toContain('Accept-Encoding');
    const again = await get(path, { 'if-none-match': String(plain.headers.etag) });
    expect({ status: again.status, text: again.text }).toEqual({ status: 304, text: '' });
  });
});
