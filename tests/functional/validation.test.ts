import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseRaw, rawExchange } from '../support/api.ts';
import { secrets } from '../support/service.ts';
import { expectFaults, expectProblem, onEachDatabase, serve } from '../support/suite.ts';

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

const malformed: Record<string, string | Buffer> = {
  'no JSON': 'caller_id=ada',
  'half a document': '{"caller_id":"ada"',
  'something after the document': '{"caller_id":"ada"} x',
  'two documents': '{"caller_id":"ada"}{}',
  'a trailing comma': '{"caller_id":"ada",}',
  'a comment': '{"caller_id":"ada"/* no */}',
  'single quotes': "{'caller_id':'ada'}",
  'NaN': '{"caller_id":"ada","metadata":{"x":NaN}}',
  'a leading zero': '{"caller_id":"ada","max_participants":01}',
  'a raw line break in a text': '{"caller_id":"a\nda"}',
  'a duplicate key': '{"caller_id":"ada","caller_id":"eve"}',
  'a duplicate key deep inside': '{"caller_id":"ada","metadata":{"a":[{"b":1,"b":2}]}}',
  'a duplicate key, once escaped': '{"caller_id":"ada","caller\\u005fid":"eve"}',
  'a lone high surrogate': '{"caller_id":"ada","metadata":{"x":"\\ud800"}}',
  'a lone low surrogate': '{"caller_id":"ada","metadata":{"x":"\\udc00y"}}',
  'a lone surrogate in a key': '{"caller_id":"ada","metadata":{"\\ud800":1}}',
  'bytes that are not UTF-8': Buffer.from([...Buffer.from('{"caller_id":"'), 0xff, 0xfe, ...Buffer.from('"}')]),
  'overlong UTF-8': Buffer.from([...Buffer.from('{"caller_id":"'), 0xc0, 0xaf, ...Buffer.from('"}')]),
  'a byte order mark of UTF-16': Buffer.from('\ufeff{}', 'utf16le'),
  'nesting deeper than 32': `{"caller_id":"ada","metadata":{"x":${nested(31)}}}`,
  'very deep nesting': nested(20_000),
};

// Each with all the faults it has.
const invalid: [string, unknown, Record<string, string>][] = [
  ['no object', '[]', { '': 'type' }],
  ['a text', '"x"', { '': 'type' }],
  ['null', 'null', { '': 'type' }],
  ['a missing caller', {}, { '/caller_id': 'required' }],
  ['a null caller', { caller_id: null }, { '/caller_id': 'required' }],
  [
    'wrong types everywhere',
    { caller_id: 7, name: [], call_id: true, user_ids: 'x', metadata: [], max_participants: '2' },
    {
      '/caller_id': 'type',
      '/name': 'type',
      '/call_id': 'type',
      '/user_ids': 'type',
      '/metadata': 'type',
      '/max_participants': 'type',
    },
  ],
  [
    'wrong contents everywhere, and unknown members',
    { caller_id: '', name: '', call_id: 'x', user_ids: [], max_participants: 0, surprise: 1, 'a/b~c': 2 },
    {
      '/caller_id': 'length',
      '/name': 'length',
      '/call_id': 'format',
      '/user_ids': 'length',
      '/max_participants': 'range',
      '/surprise': 'unknown_field',
      '/a~1b~0c': 'unknown_field',
    },
  ],
  ['a long caller', { caller_id: 'x'.repeat(129) }, { '/caller_id': 'length' }],
  ['a caller of white space at the end', { caller_id: 'x ' }, { '/caller_id': 'format' }],
  ['a caller of white space at the beginning', { caller_id: '\u00a0x' }, { '/caller_id': 'format' }],
  ['a caller with a control character', { caller_id: 'a\u0007b' }, { '/caller_id': 'format' }],
  ['a caller with a C1 control character', { caller_id: 'a\u0085b' }, { '/caller_id': 'format' }],
  ['a caller of one dot', { caller_id: '.' }, { '/caller_id': 'format' }],
  ['a caller of two dots', { caller_id: '..' }, { '/caller_id': 'format' }],
  ['a name with a line break', { caller_id: 'x', name: 'a\nb' }, { '/name': 'format' }],
  ['a long name', { caller_id: 'x', name: 'é'.repeat(129) }, { '/name': 'length' }],
  ['a fraction of a participant', { caller_id: 'x', max_participants: 1.5 }, { '/max_participants': 'type' }],
  ['too many participants', { caller_id: 'x', max_participants: 10_001 }, { '/max_participants': 'range' }],
  ['a number beyond 64 bits', '{"caller_id":"x","max_participants":99999999999999999999}', { '/max_participants': 'range' }],
  ['faults inside a list', { caller_id: 'x', user_ids: ['ok', '', 5, '..'] }, { '/user_ids/1': 'length', '/user_ids/2': 'type', '/user_ids/3': 'format' }],
  ['a list too long', { caller_id: 'x', user_ids: Array.from({ length: 1001 }, (_, index) => `u${index}`) }, { '/user_ids': 'length' }],
  ['metadata too long', { caller_id: 'x', metadata: { text: 'x'.repeat(4096) } }, { '/metadata': 'length' }],
  ['a NUL in metadata', '{"caller_id":"x","metadata":{"a":"b\\u0000c"}}', { '/metadata': 'format' }],
  ['a NUL in a key of metadata', '{"caller_id":"x","metadata":{"a\\u0000":1}}', { '/metadata': 'format' }],
];

onEachDatabase('request bodies', (kind) => {
  const served = serve(kind);

  it.each(Object.entries(malformed))('refuses %s', async (_name, body) => {
    expectProblem(await served.api.post('/calls', body), 400, 'malformed_json');
  });

  it.each(invalid)('tells every fault of %s', async (_name, body, faults) => {
    expectFaults(await served.api.post('/calls', body), faults);
  });

  it('takes what is at the limits', async () => {
    const bodies: unknown[] = [
      { caller_id: 'x'.repeat(128), name: 'é'.repeat(128), max_participants: 10_000 },
      { caller_id: '🙂'.repeat(128), max_participants: 1 },
      { caller_id: 'a b', user_ids: Array.from({ length: 1000 }, (_, index) => `u${index}`) },
      { caller_id: '...', metadata: { text: 'x'.repeat(4096 - 11) } },
      `{"caller_id":"x","metadata":{"x":${nested(30)}}}`,
      '{"caller_id":"x","metadata":{"pair":"\\ud83d\\ude42"}}',
      ' \r\n\t{ "caller_id" : "x" } \n',
    ];
    for (const body of bodies) {
      const answer = await served.api.post('/calls', body);
      expect(answer.status, answer.text).toBe(201);
    }
  });

  it('refuses a number beyond a double in metadata', async () => {
    const answer = await served.api.post('/calls', '{"caller_id":"x","metadata":{"a":1e999}}');
    expect([400, 422], answer.text).toContain(answer.status);
    if (answer.status === 422) expectFaults(answer, { '/metadata': 'range' });
  });

  it('checks the bodies of join, leave and end too', async () => {
    const { body: call } = await served.api.startCall({ caller_id: 'x' });
    expectFaults(await served.api.join(call.call_id, 'bob', { name: '', more: 1 }), { '/name': 'length', '/more': 'unknown_field' });
    expectFaults(await served.api.leave(call.call_id, 'bob', { session_id: 'x' }), { '/session_id': 'format' });
    expectFaults(await served.api.end(call.call_id, { user_id: '..' }), { '/user_id': 'format' });
    expectProblem(await served.api.end(call.call_id, '{"user_id":'), 400, 'malformed_json');
    expect((await served.api.call(call.call_id)).body.status).toBe('active');
  });

  it('tells the faults of the path and of the body together', async () => {
    expectFaults(await served.api.join('not-a-uuid', 'bob', { name: 7 }), { '?call_id': 'format', '/name': 'type' });
    expectFaults(await served.api.join('not-a-uuid', 'x'.repeat(129)), { '?call_id': 'format', '?user_id': 'length' });
  });

  it('tells content before looking for the resource', async () => {
    expectFaults(await served.api.join(randomUUID(), 'bob', { name: '' }), { '/name': 'length' });
  });

  describe('by their headers', () => {
    const status = async (headers: Record<string, string>, body: string | Buffer = '{"caller_id":"x"}') =>
      served.api.post('/calls', body, { headers });

    it('are taken as JSON with any parameters', async () => {
      for (const type of ['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"', 'application/json;v=1']) {
        expect((await status({ 'content-type': type })).status, type).toBe(201);
      }
    });

    it('are refused as anything else', async () => {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'application/webhook+json', 'json', '']) {
        expectProblem(await status({ 'content-type': type }), 415, 'unsupported_media_type');
      }
    });

    it('are refused without a Content-Type, unless empty', async () => {
      const { body: call } = await served.api.startCall({ caller_id: 'x' });
      const path = `/calls/${call.call_id}/end`;
      const raw = (body: string) => `POST ${path} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${secrets.backendKey}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      expect(parseRaw(await rawExchange(served.service.port, raw('{}'))).status).toBe(415);
      expect(parseRaw(await rawExchange(served.service.port, raw(''))).status).toBe(200);
    });

    it('are refused with a Content-Encoding', async () => {
      for (const encoding of ['gzip', 'br', 'deflate']) {
        expectProblem(await status({ 'content-encoding': encoding }), 415, 'unsupported_media_type');
      }
    });

    it('are refused when too large, by Content-Length and while reading', async () => {
      const large = JSON.stringify({ caller_id: 'x', padding: 'x'.repeat(70 * 1024) });
      expectProblem(await status({}, large), 413, 'body_too_large');
      expectProblem(await status({ 'transfer-encoding': 'chunked' }, large), 413, 'body_too_large');
      const fits = ` ${' '.repeat(64 * 1024 - 18)}{"caller_id":"x"}`;
      expect(fits.length).toBe(64 * 1024);
      expect((await status({}, fits)).status).toBe(201);
      expectProblem(await status({}, `${fits} `), 413, 'body_too_large');
    });

    it('are taken in chunks', async () => {
      expect((await status({ 'transfer-encoding': 'chunked' })).status).toBe(201);
    });
  });
});
