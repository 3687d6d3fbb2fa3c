import { expect, it } from 'vitest';
import type { HttpAnswer } from '../../http/answer.ts';
import { type LockSpec, lockSchema } from '../spec/schema.ts';
import { lockRequestsOf, RELEASES } from './lock-requests.ts';

const lockOf = (acquire: object, release: object = { path: '/locks/$(key)/$(token)' }): LockSpec =>
  lockSchema.parse({
    selector: { matchLabels: { app: 'x' } },
    redis: { serviceName: 'redis' },
    acquire: { path: '/locks/$(key)', ...acquire },
    release,
  });

const answer = (status: number, json: unknown = {}, headers = {}): HttpAnswer => ({
  status,
  body: Buffer.from(JSON.stringify(json)),
  headers,
});

it('a token is filled in so that it stays one value of its part', () => {
  const release = {
    path: '/locks/$(key)?token=$(token)',
    headers: [{ name: 'x-token', value: '$(token)' }],
    body: '{"token":"$(token)"}',
  };
  const token = 'a/b"&c=$&';
  const sent = lockRequestsOf(lockOf({}, release)).requestTo('release', 'k', token);
  expect(new URL(sent.path, 'http://pod').searchParams.get('token')).toBe(token);
  expect(JSON.parse(sent.body ?? '')).toEqual({ token });
  expect(sent).toMatchObject({ method: 'DELETE', headers: { 'x-token': token } });
});

it('each request carries the headers of a Secret', () => {
  const requests = lockRequestsOf(lockOf({ headers: [{ name: 'x', value: '1' }] }), { authorization: 'b' });
  expect(requests.requestTo('acquire', 'k', 't').headers).toEqual({ x: '1', authorization: 'b' });
  expect(requests.requestTo('release', 'k', 't').headers).toEqual({ authorization: 'b' });
});

it('an answer grants or denies by its status, and any other is an error', () => {
  const requests = lockRequestsOf(lockOf({}));
  expect([200, 201, 204].map((status) => requests.read(answer(status)))).toEqual(Array(3).fill('Admitted'));
  expect([409, 423, 429].map((status) => requests.read(answer(status)))).toEqual(Array(3).fill('Rejected'));
  for (const status of [202, 404, 500, 503]) expect(() => requests.read(answer(status))).toThrow(`${status}`);
});

it('the token of a grant is where the spec says, and own text without it', () => {
  const byPointer = lockRequestsOf(lockOf({ token: { pointer: '/lock/token' } }));
  expect(byPointer.tokenIn(answer(200, { lock: { token: 'a' } }), 'own')).toBe('a');
  const byHeader = lockRequestsOf(lockOf({ token: { header: 'X-Token' } }));
  expect(byHeader.tokenIn(answer(200, {}, { 'x-token': 'b' }), 'own')).toBe('b');
  expect(lockRequestsOf(lockOf({})).tokenIn(answer(200), 'own')).toBe('own');
});

it.each([
  ['none', {}],
  ['one that no header carries', { token: 'a\r\nb' }],
  ['one that is too long', { token: 'x'.repeat(1025) }],
])('a grant is an error if its answer has as token %s', (_, json) => {
  const requests = lockRequestsOf(lockOf({ token: { pointer: '/token' } }));
  expect(() => requests.read(answer(200, json))).toThrow('lock.acquire.token');
});

it('a fencing token is a whole number', () => {
  const requests = lockRequestsOf(lockOf({ fencing: { pointer: '/fence' } }));
  const fences = [7, '8', 'x', 1.5].map((fence) => requests.fenceIn(answer(200, { fence })));
  expect(fences).toEqual([7, 8, undefined, undefined]);
  expect(lockRequestsOf(lockOf({})).fenceIn(answer(200, { fence: 7 }))).toBeUndefined();
});

it('a release is confirmed by 2xx, and of what is not held by 4xx', () => {
  expect(RELEASES.read(answer(204))).toBe('Admitted');
  expect(RELEASES.read(answer(404))).toBe('Rejected');
  expect(() => RELEASES.read(answer(503))).toThrow('503');
});
