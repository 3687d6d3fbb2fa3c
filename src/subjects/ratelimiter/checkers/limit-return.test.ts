import { expect, it } from 'vitest';
import type { CallerRequest, RequestOutcome } from '../history/events.ts';
import { checkLimitReturn, type LimitReturn, limitReturnOf } from './limit-return.ts';

const AT = 20_000;
const FAULT_ENDED = 15_000;

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

it.each<[string, Record<string, readonly RequestOutcome[]>, LimitReturn]>([
  [
    'returned if each caller was admitted once',
    { x: ['Rejected', 'Admitted', 'Error'], y: ['Admitted'] },
    { state: 'Returned', callers: 2 },
  ],
  [
    'not returned if a caller was rejected in the end',
    { x: ['Rejected', 'Admitted'], y: ['Error', 'Rejected', 'Rejected'] },
    { state: 'NotReturned', callers: 2, lockedOut: 1, waitedMs: 3400 },
  ],
  [
    'not returned to those that were rejected in the end',
    { x: ['Rejected'], y: ['Rejected', 'Timeout'] },
    { state: 'NotReturned', callers: 2, lockedOut: 1, waitedMs: 2400 },
  ],
  [
    'unclear if callers were neither admitted nor rejected in the end',
    { x: ['Rejected', 'Error'], y: ['Timeout'] },
    { state: 'Unclear', callers: 2, unclear: 2 },
  ],
  [
    'unclear for a caller without a request',
    { x: ['Admitted'] },
    { state: 'Unclear', callers: 2, unclear: 1 },
  ],
])('a limit is %s', (_, outcomes, expected) => {
  expect(limitReturnOf({ at: AT, keys: ['x', 'y'] }, tries(outcomes))).toEqual(expected);
  const why = 'a reason';
  const notChecked = limitReturnOf({ at: AT, keys: [], why }, tries(outcomes));
  expect(notChecked).toEqual({ state: 'NotChecked', why });
});

it.each<[LimitReturn, object, RegExp]>([
  [{ state: 'Returned', callers: 2 }, { valid: true, missing: [], measures: [] }, /: 2 callers /],
  [
    { state: 'NotReturned', callers: 2, lockedOut: 1, waitedMs: 61_400 },
    {
      valid: false,
      brokenAt: FAULT_ENDED,
      missing: [],
      measures: [{ name: 'lockedOut', value: 1, bound: 0 }],
    },
    / 1 of 2 callers .* was .* 61 s /,
  ],
  [
    { state: 'NotReturned', callers: 3, lockedOut: 2, waitedMs: 61_400 },
    { valid: false, measures: [{ value: 2 }] },
    / 2 of 3 callers .* were /,
  ],
  [
    { state: 'Unclear', callers: 2, unclear: 1 },
    { valid: 'unknown', missing: [expect.stringMatching(/ 1 of 2 callers /)], measures: [] },
    / 1 of 2 callers /,
  ],
  [{ state: 'NotChecked', why: 'a reason' }, { valid: true, missing: [], measures: [] }, /: a reason$/],
])('the finding about %j', (limitReturn, finding, evidence) => {
  const found = checkLimitReturn(limitReturn, FAULT_ENDED);
  expect(found).toMatchObject(finding);
  expect(found.evidence).toEqual([expect.stringMatching(evidence)]);
});

it('there is no finding while it is unknown whether the limit is returned', () => {
  expect(checkLimitReturn(undefined, FAULT_ENDED)).toEqual({
    valid: true,
    measures: [],
    missing: [],
    evidence: [],
  });
});
