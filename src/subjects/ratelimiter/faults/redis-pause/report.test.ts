import { describe, expect, it } from 'vitest';
import type { PauseFinding } from '../../store/write-probe.ts';
import { Timeline } from '../timeline.ts';
import type { RedisPause } from './pause.ts';
import { reportOfPause } from './report.ts';

const T = 1_000_000;

/** What the evidence says of the store after a pause that felt like this. */
function eventsAfter(finding: PauseFinding): string[] {
  const redis = { podName: 'redis-0', host: '10.0.0.7', port: 6379, tls: false };
  const timeline = new Timeline({ nodes: [], redis }, T);
  const pause = {
    startedAt: T,
    proof: 'Inconclusive',
    message: 'unclear',
    finding,
    write: { sentAt: T, taken: Promise.resolve({ at: T, redisAt: T }) },
    refused: false,
    released: false,
  } as unknown as RedisPause;
  reportOfPause(pause, (event) => timeline.show(event), T + 5);
  return timeline.bundle(T).events.map(({ component, text }) => `${component}: ${text}`);
}

describe('the report of a pause that could not be felt', () => {
  it.each([
    ['silent', 'store: it gives no answer'],
    ['lost', 'store: a connection to it was lost, with a write that was not answered'],
    ['refused', 'store: it answered a command with an error'],
  ] as const)('says of a store that was %s no more than that', (cause, event) => {
    expect(eventsAfter({ kind: 'unclear', cause, reason: 'r' })).toEqual([event]);
  });
});
