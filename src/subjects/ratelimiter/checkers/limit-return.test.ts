import { expect, it } from 'vitest';
import { judgeOutage } from '../../../../test/fixtures/subjects/ratelimiter/judged.ts';
import type { CallerRequest, HistoryEvent, RequestOutcome } from '../history/events.ts';
import { NOTHING } from './checker.ts';
import { limitReturnOf } from './limit-return.ts';

const AT = 20_000;
const FAULT = { startedAt: 10_000, endedAt: 15_000 };

/** The requests of callers x and y, by turns, a second apart. */
const tries = (outcomes: Record<string, readonly RequestOutcome[]>): CallerRequest[] =>
  Object.entries(outcomes)
    .flatMap(([key, own]) =>
      own.map((outcome, i): CallerRequest => {
        const sentAt = AT + 1000 * (i + 1);
        return { pod: 'a', caller: 'Returning', key, outcome, sentAt, endedAt: sentAt + 400 };
      }),
    )
    .toSorted((one, other) => one.sentAt - other.sentAt);

it.each<[string, Record<string, readonly RequestOutcome[]>, object]>([
  [
    'returned if each caller was admitted once',
    { x: ['Rejected', 'Admitted', 'Error'], y: ['Admitted'] },
    { code: 'Returned', callers: 2 },
  ],
  [
    'not returned if a caller was rejected in the end',
    { x: ['Rejected', 'Admitted'], y: ['Error', 'Rejected', 'Rejected'] },
    { code: 'NotReturned', callers: 2, lockedOut: 1, waitedMs: 3400 },
  ],
  [
    'not returned to those that were rejected in the end',
    { x: ['Rejected'], y: ['Rejected', 'Timeout'] },
    { code: 'NotReturned', callers: 2, lockedOut: 1, waitedMs: 2400 },
  ],
  [
    'unclear if callers were neither admitted nor rejected in the end',
    { x: ['Rejected', 'Error'], y: ['Timeout'] },
    { code: 'ReturnUnclear', callers: 2, unclear: 2 },
  ],
  [
    'unclear for a caller without a request',
    { x: ['Admitted'] },
    { code: 'ReturnUnclear', callers: 2, unclear: 1 },
  ],
])('a limit is %s', (_, outcomes, expected) => {
  expect(limitReturnOf({ at: AT, keys: ['x', 'y'] }, tries(outcomes))).toEqual(expected);
  const why = 'a reason';
  expect(limitReturnOf({ at: AT, keys: [], why }, tries(outcomes))).toEqual({
    code: 'ReturnNotChecked',
    why,
  });
});

function findingOf(outcomes: Record<string, readonly RequestOutcome[]>, isEnded = true) {
  const at = AT + 9000;
  const events: HistoryEvent[] = [
    { kind: 'fault', step: 'Planned', at: FAULT.startedAt, until: FAULT.endedAt },
    { kind: 'fault', step: 'Reported', ...FAULT, proof: 'Confirmed', message: '', evidence: [] },
    { kind: 'traffic-ended', at: AT, moved: [] },
    { kind: 'return', at: AT, keys: ['x', 'y'] },
    ...tries(outcomes).map((request, id): HistoryEvent => ({ kind: 'request', id, ...request })),
    ...(isEnded ? [{ kind: 'ended', at } as const] : []),
  ];
  const setup = {
    pods: ['a'],
    limit: { algorithm: 'FixedWindow', requests: 4, windowMs: 60_000, start: 'FirstRequest' } as const,
    callerTimeoutMs: 1000,
    preparedAt: 0,
    isOneCaller: false,
    accept: ['Enforces'] as const,
    settleMs: 800,
  };
  return judgeOutage(setup, events).findings.get('limitReturn');
}

it('the limit is violated since the end of the fault if it is not returned', () => {
  expect(findingOf({ x: ['Rejected'], y: ['Admitted'] })).toMatchObject({
    isBroken: true,
    brokenAt: FAULT.endedAt,
    missing: [],
    measures: [{ name: 'lockedOut', value: 1, bound: 0 }],
  });
});

it('the return of the limit is missing if it is unclear, and only shown if not', () => {
  const unclear = findingOf({ x: ['Error'], y: ['Admitted'] });
  expect(unclear).toEqual({
    evidence: [{ code: 'ReturnUnclear', callers: 2, unclear: 1 }],
    missing: [{ code: 'ReturnUnclear', callers: 2, unclear: 1 }],
  });
  expect(findingOf({ x: ['Admitted'], y: ['Admitted'] })).toEqual({
    evidence: [{ code: 'Returned', callers: 2 }],
    missing: [],
  });
  expect(findingOf({ x: ['Rejected'], y: ['Admitted'] }, false)).toEqual(NOTHING);
});
