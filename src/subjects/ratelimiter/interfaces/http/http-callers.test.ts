import { describe, expect, it } from 'vitest';
import { encodeRequest } from '../../../http/request.ts';
import { httpInterfaceSchema } from '../../spec/http-schema.ts';
import { HttpCallers } from './http-callers.ts';

const mapping = (spec: object) => httpInterfaceSchema.parse({ path: '/?user=$(key)', ...spec });
const callers = (spec: object = {}) => new HttpCallers(mapping(spec), {}, 0);
const answer = (status: number, body = '', headers: Record<string, string> = {}) => ({
  status,
  body: Buffer.from(body),
  headers: new Map(Object.entries(headers)),
});

describe('the request that counts', () => {
  it('carries the key in its path, headers and body', () => {
    const request = callers({
      method: 'POST',
      path: '/orders/$(key)?again=$(key)',
      headers: [{ name: 'X-Api-Key', value: 'k-$(key)' }],
      body: '{"user":"$(key)"}',
    }).requestOf('demo-a-1');
    expect(request).toEqual({
      method: 'POST',
      path: '/orders/demo-a-1?again=demo-a-1',
      headers: { 'X-Api-Key': 'k-demo-a-1' },
      body: '{"user":"demo-a-1"}',
    });
    expect(() => encodeRequest(request, { host: '10.0.0.1', port: 80 })).not.toThrow();
  });

  it('carries another address for each key, from the range for benchmarks', () => {
    const forwarded = new HttpCallers(
      mapping({ path: '/', headers: [{ name: 'X-Forwarded-For', value: '$(address)' }] }),
      {},
      2 ** 17 - 2,
    );
    const of = (key: string) => forwarded.requestOf(key).headers?.['X-Forwarded-For'];
    expect(['a', 'b', 'c'].map(of)).toEqual(['198.19.255.254', '198.19.255.255', '198.18.0.0']);
    expect(of('a')).toBe('198.19.255.254');
  });

  it('carries the headers of a Secret as they are', () => {
    const secret = { Authorization: 'Bearer $(key)', cookie: 'a=$(address)' };
    const request = new HttpCallers(mapping({ path: '/$(key)' }), secret).requestOf('demo-a-1');
    expect(request).toMatchObject({ path: '/demo-a-1', headers: secret });
  });
});

describe('the outcome of an answer', () => {
  it('is decided by a member of the body if the status does not decide', () => {
    const spec = callers({
      rejectedStatuses: [200],
      decision: { pointer: '/result/a~1b', admitted: 'true', rejected: 'false' },
    });
    expect(spec.read(answer(200, '{"result":{"a/b":true}}'))).toBe('Admitted');
    expect(spec.read(answer(200, '{"result":{"a/b":"false"}}'))).toBe('Rejected');
    for (const body of ['', '[]', '{"result":null}', '{"result":{"a/b":{}}}', '{"result":{}}']) {
      expect(() => spec.read(answer(200, body))).toThrow('neither');
    }
  });

  it.each([
    ['admitted', '{"errors":[{"code":"RATE_LIMITED"}]}', 'Admitted'],
    ['rejected', '{"errors":[{"code":"RATE_LIMITED"}]}', 'Rejected'],
    ['rejected', '{"data":{}}', 'Admitted'],
  ])('needs one value only: a body that is not %s is the other', (name, body, decision) => {
    const value = { pointer: '/errors/0/code', [name]: 'RATE_LIMITED' };
    const spec = callers({ rejectedStatuses: [200], decision: value });
    expect(spec.read(answer(200, body))).toBe(decision);
  });

  it('is an error if the spec both admits and rejects it', () => {
    const spec = callers({ admittedStatuses: [200, 429] });
    expect(() => spec.read(answer(429))).toThrow('both admitted and rejected');
  });
});

it.each([
  ['a line break in a header', { headers: [{ name: 'X', value: 'a\r\nb' }] }],
  ['a host', { path: 'http://elsewhere/' }],
  ['a fragment', { path: '/#a' }],
  ['an unknown method', { method: 'CONNECT' }],
  ['no statuses', { rejectedStatuses: [] }],
])('the mapping refuses %s', (_, spec) => {
  expect(httpInterfaceSchema.safeParse({ path: '/$(key)', ...spec }).success).toBe(false);
});
