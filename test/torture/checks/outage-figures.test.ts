import { describe, expect, it } from 'vitest';
import type { ScenarioStatus } from '../../../src/api/index.ts';
import type { CheckSeen } from '../record.ts';
import { outageFigures } from './outage-figures.ts';
import { iso, PAUSED, seenWith, T0, UNTIL } from './sample.fixture.ts';

const KEY = 'demo-chaos-key-12345678-1-outage-b';

/** What is found of an outage with this result and over-admission, where one caller was admitted so often and then failed. */
function found(
  { admitted = 10, over = 0, result = 'Violated' }: { admitted?: number; over?: number; result?: string },
  verdict?: string,
): string[] {
  const seen = seenWith((record) => {
    record.entries.splice(0, Infinity, ...record.entries.filter(({ kind }) => kind !== 'check'));
    const [last] = record.of('version').slice(-1);
    const run = last?.object.status?.run;
    if (run?.phase && verdict !== undefined) run.message = verdict;
    for (let i = 0; i < admitted + 3; i += 1) {
      const at = T0 + PAUSED + 100 + i * 20;
      const answer = i < admitted ? { status: 200, allowed: true } : { status: 503 };
      const check: CheckSeen = { kind: 'check', lane: 0, node: 0, key: KEY, at, passedAt: at, nodeAt: at };
      record.note({ ...check, answeredAt: at, ...answer });
    }
  });
  const scenario: ScenarioStatus = {
    name: 'outage',
    type: 'StoreOutage',
    expect: 'Violated',
    result: result as 'Violated' | 'Held',
    fault: {
      id: '1-outage-1',
      plannedAt: iso(PAUSED),
      until: iso(UNTIL),
      startedAt: iso(PAUSED + 2),
      endedAt: iso(UNTIL + 3),
      proof: 'Confirmed',
    },
    measures: [{ name: 'overAdmission', value: over, unit: 'requests' }],
  };
  return outageFigures({ seen, scenario, key: KEY });
}

describe('the figures of an outage', () => {
  it('are right if they are what the nodes answered', () => {
    expect([found({}), found({ admitted: 12, over: 2 })]).toEqual([[], []]);
  });

  it('are wrong if more is said to be admitted than was', () => {
    expect(found({ admitted: 12, over: 3 })).toEqual([
      expect.stringMatching(/^overAdmission .*3, .*admitted 12 of one/),
    ]);
  });

  it('are wrong if nothing was detected of nodes that fail closed', () => {
    expect(found({ result: 'Held' })).toEqual([expect.stringMatching(/^Held, .*fail closed, answered 3/)]);
  });

  it('outage figures are wrong if the verdict doubts the spec without a disturbance', () => {
    expect(found({}, 'one caller was denied: correct rateLimiter.limit')).toHaveLength(1);
  });
});
