import { expect, it } from 'vitest';
import { ReferenceCallers } from './reference-callers.ts';

const callers = new ReferenceCallers((windowId) => windowId === 'window-1');

const answer = (status: number, body: object) => ({
  ...{ status, headers: new Map<string, string>() },
  body: Buffer.from(JSON.stringify(body)),
});
const of = (windowId: string, allowed: boolean) => ({ allowed, windowId, windowEndsAt: 5 });

it('asks for one request of a key', () => {
  expect(callers.requestOf('demo-a')).toMatchObject({
    method: 'POST',
    path: '/check',
    body: '{"key":"demo-a"}',
  });
});

it('takes a yes and a no for a window of the demo', () => {
  expect(callers.read(answer(200, of('window-1', true)))).toBe('Admitted');
  expect(callers.read(answer(429, of('window-1', false)))).toBe('Rejected');
});

it.each([
  [
    'an error',
    answer(503, { error: { code: 'OVERLOADED', message: 'later' } }),
    'answered 503: OVERLOADED: later',
  ],
  ['a no without a status of one', answer(200, of('window-1', false)), 'neither admitted nor rejected'],
  [
    'a yes for a window that somebody else began',
    answer(200, of('x', true)),
    'answered 200 for window x, which this run has not begun',
  ],
  ['something else', answer(200, {}), 'neither admitted nor rejected'],
  ['a yes without a window', answer(200, { allowed: true }), 'no windowId'],
])('takes %s for neither', (_, given, message) => {
  expect(() => callers.read(given)).toThrow(message);
});
