import { expect, it } from 'vitest';
import { ReferenceCallers } from './reference-callers.ts';

const callers = new ReferenceCallers((windowId) => windowId === 'window-1');

const answer = (status: number, body: object) => ({
  ...{ status, headers: new Map<string, string>() },
  body: Buffer.from(JSON.stringify(body)),
});
const of = (windowId: string, allowed: boolean) => ({ allowed, windowId, windowEndsAt: 5 });

it('a caller sends one request for its key', () => {
  expect(callers.requestOf('demo-a')).toMatchObject({
    method: 'POST',
    path: '/check',
    body: '{"key":"demo-a"}',
  });
});

it('an answer for a window of the demo is Admitted or Rejected', () => {
  expect(callers.read(answer(200, of('window-1', true)))).toBe('Admitted');
  expect(callers.read(answer(429, of('window-1', false)))).toBe('Rejected');
});

it.each([
  [
    'an error',
    answer(503, { error: { code: 'OVERLOADED', message: 'later' } }),
    'answered 503: OVERLOADED: later',
  ],
  ['a rejection without its status', answer(200, of('window-1', false)), 'neither admitted nor rejected'],
  [
    'an admission for a window that this run did not begin',
    answer(200, of('x', true)),
    'answered 200 for window x, which this run has not begun',
  ],
  ['something else', answer(200, {}), 'neither admitted nor rejected'],
  ['an admission without a window', answer(200, { allowed: true }), 'no windowId'],
])('takes %s for neither', (_, given, message) => {
  expect(() => callers.read(given)).toThrow(message);
});
