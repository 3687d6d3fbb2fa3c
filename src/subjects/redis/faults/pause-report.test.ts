import { describe, expect, it } from 'vitest';
import type { PauseFinding } from '../client/write-probe.ts';
import type { ProbeEvent } from '../events.ts';
import type { RedisPause } from './pause.ts';
import { reportOfPause } from './pause-report.ts';

const T = 1_000_000;

/** What is recorded of the store after a pause whose proof found this. */
function statesAfter(finding: PauseFinding): ProbeEvent['state'][] {
  const pause = {
    startedAt: T,
    proof: 'Inconclusive',
    message: 'unclear',
    finding,
    write: { sentAt: T, taken: Promise.resolve({ at: T, redisAt: T }) },
    refused: false,
    released: false,
  } as unknown as RedisPause;
  const states: ProbeEvent['state'][] = [];
  reportOfPause(pause, (event) => event.kind === 'probe' && states.push(event.state), T + 5);
  return states;
}

describe('the report of a pause that could not be proven', () => {
  it.each([
    ['silent', 'Unreachable'],
    ['lost', 'Lost'],
    ['refused', 'ReadRefused'],
  ] as const)('records only that a store was %s', (cause, state) => {
    expect(statesAfter({ kind: 'unclear', cause, reason: 'r' })).toEqual([state]);
  });
});
