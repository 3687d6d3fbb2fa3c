import { describe, expect, it } from 'vitest';
import type { CallerRequest } from '../history/events.ts';
import {
  type Behaved,
  type Behaviour,
  checkBehaviour,
  LEAST_REQUESTS,
  type PodBehaviour,
} from './behaviour.ts';
import type { Counts } from './requests.ts';

const FAULT = { startedAt: 10_000, endedAt: 20_000 };
const counts = (of: Partial<Counts> = {}): Counts => ({
  Admitted: 0,
  Rejected: 0,
  Error: 0,
  Timeout: 0,
  ...of,
});

const pod = (behaviour: Behaviour, of: Partial<PodBehaviour> = {}): PodBehaviour => ({
  behaviour,
  within: counts({ Admitted: 10 }),
  beyond: counts({ Rejected: 10 }),
  crossing: counts(),
  control: counts({ Admitted: 10 }),
  hungFirst: 0,
  overAtEdges: 0,
  untimed: 0,
  ...of,
});
const behaved = (behaviour: Behaviour, of: Partial<Behaved> = {}): Behaved => ({
  behaviour,
  byPod: new Map([['a', pod(behaviour)]]),
  reached: new Set(['New']),
  shortfalls: [],
  ...of,
});
const request = (outcome: CallerRequest['outcome'], endedAt: number, caller = 'Under'): CallerRequest =>
  ({ pod: 'a', caller, outcome, sentAt: endedAt - 5, endedAt }) as CallerRequest;

const checked = (
  judged: Behaved,
  accept: readonly Behaviour[],
  { during = [], oneLimitFrom }: { during?: readonly CallerRequest[]; oneLimitFrom?: number } = {},
) =>
  checkBehaviour(
    oneLimitFrom === undefined ? {} : { oneLimitFrom },
    judged,
    { before: [], during, after: [], untimed: [] },
    FAULT,
    accept,
  );

describe('the finding about a behaviour', () => {
  it('is valid if it is accepted, and not valid otherwise', () => {
    expect(checked(behaved('FailsClosed'), ['FailsClosed'])).toMatchObject({ valid: true, missing: [] });
    expect(checked(behaved('FailsClosed'), ['Enforces'])).toMatchObject({ valid: false, missing: [] });
  });

  it('names the statuses of requests that were not admitted, and how soon they came', () => {
    const failed = (status: number, tookMs: number): CallerRequest => ({
      ...request('Error', 12_000 + tookMs),
      sentAt: 12_000,
      status,
    });
    const during = [failed(500, 280), failed(500, 300), failed(500, 260), failed(503, 10)];
    const { evidence, measures } = checked(behaved('FailsClosed'), ['FailsClosed'], { during });
    expect(measures).toContainEqual({ name: 'serverErrors', value: 3, unit: 'requests' });
    expect(evidence[0]).toMatch(/ HTTP 500 x 3 .*0\.28 s.*, HTTP 503 x 1 .*0\.01 s/);
    const other = checked(behaved('FailsClosed'), ['FailsClosed'], { during: [request('Rejected', 12_000)] });
    expect(other.evidence).toEqual([]);
    expect(other.measures.map(({ name }) => name)).not.toContain('serverErrors');
  });

  it('is broken by the first caller under its limit that got what is not accepted', () => {
    const during = [
      request('Admitted', 11_000),
      request('Rejected', 11_100, 'Over'),
      request('Error', 11_200),
      request('Error', 11_300),
    ];
    expect(checked(behaved('FailsClosed'), ['Enforces'], { during }).brokenAt).toBe(11_200);
  });

  it('is broken by the first admission if callers are not to be admitted', () => {
    const during = [
      request('Error', 11_000),
      request('Admitted', 11_100, 'Over'),
      request('Admitted', 11_200),
    ];
    expect(checked(behaved('Enforces'), ['FailsClosed'], { during }).brokenAt).toBe(11_200);
  });

  it('is broken from the start of the fault if no such request is known', () => {
    expect(checked(behaved('Hangs'), ['Enforces']).brokenAt).toBe(FAULT.startedAt);
  });

  it.each(['FailsOpen', 'Forgets'] as const)('leaves to the count of admissions when %s broke it', (word) => {
    const finding = checked(behaved(word), ['Enforces'], { during: [request('Admitted', 11_000)] });
    expect(finding.valid).toBe(false);
    expect(finding.brokenAt).toBeUndefined();
  });

  it('counts the requests of callers under their limits on all pods', () => {
    const byPod = new Map([
      ['a', pod('Mixed', { within: counts({ Admitted: 7, Error: 3 }) })],
      ['b', pod('Mixed', { within: counts({ Admitted: 1, Timeout: 9 }) })],
    ]);
    expect(checked(behaved('Mixed', { byPod }), ['Mixed']).measures).toMatchObject([
      { name: 'notAdmitted', value: 12 },
      { name: 'underLimit', value: 20 },
    ]);
  });
});

it('pods that differ are Mixed, even if each behaviour is accepted', () => {
  const byPod = new Map([
    ['a', pod('FailsClosed')],
    ['b', pod('Enforces')],
  ]);
  expect(checked(behaved('Mixed', { byPod }), ['Enforces', 'FailsClosed']).valid).toBe(false);
});

it('the outcomes of each pod are figures, with those in no count', () => {
  const byPod = new Map([
    ['a', pod('FailsOpen', { overAtEdges: 2, crossing: counts({ Rejected: 3 }) })],
    ['b', pod('Enforces', { beyond: counts({ Rejected: 7, Timeout: 1 }) })],
  ]);
  const judged = behaved('Mixed', { byPod });
  expect(checked(judged, ['Mixed']).byPod).toEqual([
    expect.stringMatching(/^a FailsOpen.*: .* 10 admitted; .* 10 rejected; .* 3 rejected; 2 more /),
    expect.stringMatching(/^b Enforces.*: .* 10 admitted; .* 7 rejected, 1 timeouts; .* 0 admitted$/),
  ]);
  const ofOne = checked(judged, ['Mixed'], { oneLimitFrom: 0 }).byPod;
  expect(ofOne?.[1]).toMatch(/ 7 rejected, 1 timeouts$/);
});

describe('a behaviour near the border to another', () => {
  const near = { other: 'Mixed', count: 17, of: 20 } as const;

  it.each<[readonly Behaviour[], boolean | 'unknown']>([
    [['Hangs', 'Mixed'], true],
    [['Hangs'], 'unknown'],
    [['Mixed'], 'unknown'],
    [['Enforces'], false],
  ])('with accept %j is %s', (accept, valid) => {
    const finding = checked(behaved('Hangs', { near }), accept);
    expect(finding.valid).toBe(valid);
    expect(finding.missing).toHaveLength(valid === 'unknown' ? 1 : 0);
    expect(finding.evidence).toHaveLength(1);
  });
});

describe('a limiter that enforces its limit', () => {
  it.each<[string, readonly string[], readonly Behaviour[], number | undefined, boolean | 'unknown']>([
    ['if a caller that crossed it was rejected', ['Crossing'], ['Enforces'], undefined, true],
    ['not if none was', [], ['Enforces'], undefined, 'unknown'],
    ['if more than the limit is accepted as well', [], ['Enforces', 'FailsOpen'], undefined, true],
    ['if all callers share one limit', [], ['Enforces'], 0, true],
  ])('is shown %s', (_, reached, accept, oneLimitFrom, valid) => {
    const judged = behaved('Enforces', { reached: new Set(reached) as Behaved['reached'] });
    const finding = checked(judged, accept, oneLimitFrom === undefined ? {} : { oneLimitFrom });
    expect(finding.valid).toBe(valid);
    expect(finding.evidence).toHaveLength(oneLimitFrom === undefined ? 1 : 0);
  });

  it('need not be shown if callers are rejected anyway', () => {
    const judged = behaved('FailsClosed', { reached: new Set() });
    expect(checked(judged, ['FailsClosed'])).toMatchObject({ valid: true, missing: [], evidence: [] });
  });
});

describe('a pod that may be slow', () => {
  const waiting = { within: counts({ Timeout: 10 }), control: counts({ Admitted: 10, Timeout: 10 }) };
  const slow = (of: Partial<PodBehaviour> = {}) =>
    behaved('Hangs', { byPod: new Map([['a', pod('Hangs', { ...waiting, ...of })]]) });

  it('leaves it open whether its limiter hangs', () => {
    const finding = checked(slow(), ['Enforces']);
    expect(finding).toMatchObject({ valid: 'unknown' });
    expect(finding.missing).toHaveLength(1);
    expect(finding.evidence).toHaveLength(1);
  });

  it.each<[string, Partial<PodBehaviour>]>([
    ['its callers had an answer', { within: counts({ Error: 10 }) }],
    ['callers had none first', { hungFirst: LEAST_REQUESTS }],
    ['control requests were answered', { control: counts({ Admitted: 20 }) }],
    ['no control request was answered', { control: counts({ Timeout: 60 }) }],
  ])('is no excuse if %s', (_, of) => {
    expect(checked(slow(of), ['Enforces'])).toMatchObject({ valid: false, missing: [] });
  });

  it('is one with a caller less that had none first', () => {
    expect(checked(slow({ hungFirst: LEAST_REQUESTS - 1 }), ['Enforces']).valid).toBe('unknown');
  });

  it('adds nothing if hanging is accepted', () => {
    expect(checked(slow(), ['Hangs'])).toMatchObject({ valid: true, missing: [] });
  });

  it('does not excuse another pod', () => {
    const byPod = new Map([
      ['a', pod('Hangs', waiting)],
      ['b', pod('Hangs', { within: counts({ Timeout: 10 }) })],
    ]);
    expect(checked(behaved('Hangs', { byPod }), ['Enforces']).valid).toBe(false);
    const fine = new Map([
      ['a', pod('Hangs', waiting)],
      ['b', pod('Enforces')],
    ]);
    const finding = checked(behaved('Mixed', { byPod: fine }), ['Enforces']);
    expect(finding.valid).toBe('unknown');
    expect(finding.evidence).toEqual([expect.stringMatching(/ a \(10 of 20\):/)]);
  });
});
