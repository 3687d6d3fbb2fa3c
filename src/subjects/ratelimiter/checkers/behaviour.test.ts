import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { found, judgeOutage, namesOf } from '../../../../test/fixtures/subjects/ratelimiter/judged.ts';
import type { CallerRequest, HistoryEvent, RequestOutcome } from '../history/events.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import { BEHAVIOURS, type Behaviour, behaviourOf as behavedOf } from './behaviour.ts';
import { applying } from './checker.ts';
import { type OutageSetup, viewOf } from './outage-seen.ts';

const limit: RateLimit = { algorithm: 'FixedWindow', requests: 10, windowMs: 60_000, start: 'FirstRequest' };
const pods = ['a', 'b', 'c'];
const FAULT = { startedAt: 10_000, endedAt: 20_000 };

const setup: OutageSetup = {
  pods,
  limit,
  callerTimeoutMs: 1000,
  preparedAt: 0,
  isOneCaller: false,
  accept: ['Enforces'],
  settleMs: 2000,
};

function* history(requests: readonly CallerRequest[]): Generator<HistoryEvent> {
  yield { kind: 'fault', step: 'Planned', at: FAULT.startedAt, until: FAULT.endedAt };
  yield { kind: 'fault', step: 'Reported', ...FAULT, proof: 'Confirmed', message: '', evidence: [] };
  for (const [id, request] of requests.entries()) yield { kind: 'request', id, ...request };
}

/** What callers got, how much more than their limits, and what is missing to prove that. */
function behaviourOf(requests: readonly CallerRequest[], change: Partial<OutageSetup> = {}) {
  const { findings, state } = judgeOutage({ ...setup, ...change }, history(requests));
  const view = viewOf(state);
  const finding = findings.get('service');
  if (!view || !finding) throw new TypeError('the fault was not reported');
  const { evidence, missing, unproven } = finding;
  return {
    ...view.over,
    ...finding,
    ...behavedOf(view),
    evidence: applying(evidence),
    missing: applying(missing),
    shortfalls: applying(unproven),
  };
}

const requests = (
  pod: string,
  caller: CallerRequest['caller'],
  outcome: RequestOutcome,
  count: number,
  sentAt: number,
): CallerRequest[] =>
  Array.from({ length: count }, (_, i) => {
    const at = sentAt + i * 10;
    return { pod, caller, outcome, sentAt: at, endedAt: at + (outcome === 'Timeout' ? 1000 : 5) };
  });

/** A limiter in order: ten are admitted over all pods, then callers are rejected; others are admitted. */
const before = pods.flatMap((pod, i) => [
  ...requests(pod, 'Under', 'Admitted', 5, 1000),
  ...requests(pod, 'Over', 'Admitted', i === 0 ? 4 : 3, 100 + i),
  ...requests(pod, 'Over', 'Rejected', 2, 2000),
]);

/** What callers within and beyond their limit got of each pod. */
const during = (
  within: Record<string, RequestOutcome>,
  beyond: Record<string, RequestOutcome>,
): CallerRequest[] =>
  pods.flatMap((pod) => [
    ...requests(pod, 'Under', within[pod] ?? 'Admitted', 10, 11_000),
    ...requests(pod, 'Over', beyond[pod] ?? 'Rejected', 10, 11_000),
  ]);

const all = (outcome: RequestOutcome): Record<string, RequestOutcome> => ({
  a: outcome,
  b: outcome,
  c: outcome,
});

describe('the behaviour while writes to Redis stall', () => {
  it.each<[string, Record<string, RequestOutcome>, Record<string, RequestOutcome>, string]>([
    ['callers are admitted and the limit is kept', all('Admitted'), all('Rejected'), 'Enforces'],
    ['callers are admitted, also beyond the limit', all('Admitted'), all('Admitted'), 'FailsOpen'],
    ['callers are rejected', all('Rejected'), all('Rejected'), 'FailsClosed'],
    ['callers get errors', all('Error'), all('Error'), 'FailsClosed'],
    ['callers get no answer in time', all('Timeout'), all('Timeout'), 'Hangs'],
    ['callers within their limit wait and others are admitted', all('Timeout'), all('Admitted'), 'Hangs'],
    ['callers beyond their limit wait', all('Admitted'), all('Timeout'), 'Mixed'],
    ['one pod waits', { c: 'Timeout' }, all('Rejected'), 'Mixed'],
    [
      'denials and errors both turn callers away',
      { a: 'Rejected', b: 'Error', c: 'Rejected' },
      {},
      'FailsClosed',
    ],
  ])('%s', (_, within, beyond, behaviour) => {
    const judged = behaviourOf([...before, ...during(within, beyond)]);
    expect(judged).toMatchObject({ behaviour, shortfalls: [] });
  });

  it('one caller over its limit shows fail open, by the pods that admitted it', () => {
    const reaching = [
      ...requests('a', 'New', 'Admitted', 12, 11_000),
      ...requests('b', 'New', 'Rejected', 12, 11_001),
      ...requests('c', 'New', 'Rejected', 12, 11_002),
    ];
    const judged = behaviourOf([...before, ...during({}, {}), ...reaching]);
    expect(judged).toMatchObject({ over: { excess: 2 }, excess: { beyond: 0, crossing: 2 }, shortfalls: [] });
    expect([...judged.byPod].map(([, { behaviour }]) => behaviour)).toEqual([
      'FailsOpen',
      'Enforces',
      'Enforces',
    ]);
    expect(judged.reached.size).toBe(0);
  });

  it('is Mixed if a caller that crosses its limit has no answer', () => {
    const reaching = pods.flatMap((pod) => requests(pod, 'New', 'Timeout', 10, 11_000));
    const judged = behaviourOf([...before, ...during({}, {}), ...reaching]);
    expect(judged.behaviour).toBe('Mixed');
  });

  it('is known for each pod', () => {
    const { byPod } = behaviourOf([...before, ...during({ c: 'Timeout' }, {})]);
    expect([...byPod].map(([pod, { behaviour }]) => [pod, behaviour])).toEqual([
      ['a', 'Enforces'],
      ['b', 'Enforces'],
      ['c', 'Hangs'],
    ]);
    expect(byPod.get('c')?.within).toEqual({ Admitted: 0, Rejected: 0, Error: 0, Timeout: 10 });
  });

  it('is Mixed if it changes during the fault', () => {
    const changed = pods.flatMap((pod) => [
      ...requests(pod, 'Under', 'Timeout', 5, 11_000),
      ...requests(pod, 'Under', 'Admitted', 15, 14_000),
    ]);
    expect(behaviourOf([...before, ...changed]).behaviour).toBe('Mixed');
  });

  it('forgives one caller in ten', () => {
    const most = pods.flatMap((pod) => [
      ...requests(pod, 'Under', 'Error', 1, 11_000),
      ...requests(pod, 'Under', 'Admitted', 9, 14_000),
      ...requests(pod, 'Over', 'Rejected', 9, 14_000),
    ]);
    expect(behaviourOf([...before, ...most]).behaviour).toBe('Enforces');
  });

  it.each([
    [91, 'FailsClosed'],
    [88, 'Mixed'],
  ])('has one word if nine of ten callers get the same: of 100 to each pod, %i', (failed, behaviour) => {
    const mixed = pods.flatMap((pod) => [
      ...requests(pod, 'Under', 'Error', failed, 11_000),
      ...requests(pod, 'Under', 'Admitted', 100 - failed, 14_000),
      ...requests(pod, 'Over', 'Rejected', 9, 14_000),
    ]);
    expect(behaviourOf([...before, ...mixed]).behaviour).toBe(behaviour);
  });

  it('the first request over the limit of an unused key shows fail open', () => {
    const one = requests('a', 'Over', 'Admitted', 1, 12_000);
    const judged = behaviourOf([...before, ...during({}, {}), ...one]);
    expect(judged.over).toMatchObject({ excess: 1, admitted: 11, bound: 10 });
    expect(judged.byPod.get('a')?.behaviour).toBe('FailsOpen');
  });

  it('is Mixed if one pod admits over the limit, and the others do not', () => {
    const judged = behaviourOf([...before, ...during({}, { a: 'Admitted' })]);
    expect(judged).toMatchObject({ behaviour: 'Mixed', shortfalls: [] });
    expect([...judged.byPod.values()].map(({ behaviour }) => behaviour)).toEqual([
      'FailsOpen',
      'Enforces',
      'Enforces',
    ]);
  });

  it('over-admission as the pause ends is separate: a late request is in no count', () => {
    const late = requests('a', 'Over', 'Admitted', 2, 19_500);
    const { byPod } = behaviourOf([...before, ...during({}, {}), ...late]);
    expect(byPod.get('a')).toMatchObject({
      behaviour: 'FailsOpen',
      beyond: { Admitted: 0 },
      overAtEdges: 2,
    });
    expect(byPod.get('b')).toMatchObject({ behaviour: 'Enforces', overAtEdges: 0 });
  });

  it('counts over-admission at the edges of the fault, and not outside', () => {
    const edges = [
      ...requests('a', 'Over', 'Admitted', 1, 9995),
      ...requests('a', 'Over', 'Admitted', 1, 9998),
      ...requests('a', 'Over', 'Admitted', 1, 19_500),
      ...requests('a', 'Over', 'Admitted', 1, 20_000),
    ];
    const of = (change: Partial<OutageSetup>, list: readonly CallerRequest[]) =>
      behaviourOf(list, change).byPod.get('a')?.overAtEdges;
    expect(of({}, [...before, ...during({}, {}), ...edges])).toBe(2);
    expect(of({ isOneCaller: true, preparedAt: 9000 }, [...during({}, { a: 'Admitted' }), ...edges])).toBe(2);
  });

  it('callers hung first if they had no answer before a control request had none', () => {
    const list = [
      ...requests('a', 'Control', 'Admitted', 1, 11_000),
      ...requests('a', 'Under', 'Admitted', 2, 11_100),
      ...requests('a', 'Over', 'Timeout', 3, 11_100),
      ...requests('a', 'Under', 'Timeout', 1, 11_200),
      ...requests('a', 'Control', 'Timeout', 2, 11_300),
      ...requests('a', 'Under', 'Timeout', 2, 11_300),
    ];
    expect(behaviourOf(list).byPod.get('a')?.hungFirst).toBe(1);
  });

  it('does not count what the end of the fault may have answered', () => {
    const late = pods.flatMap((pod) => requests(pod, 'Under', 'Admitted', 50, 19_100));
    const judged = behaviourOf([...before, ...during(all('Timeout'), {}), ...late]);
    expect(judged.behaviour).toBe('Hangs');
  });
});

describe('the pods together and each of them', () => {
  /** Of the requests to each pod, so many have an outcome, and the others are admitted. */
  const judged = (
    outcome: RequestOutcome,
    counts: Record<string, readonly [count: number, of: number]>,
    beyond: RequestOutcome = 'Rejected',
  ) => {
    const sent = Object.entries(counts).flatMap(([pod, [count, of]]) => [
      ...requests(pod, 'Under', outcome, count, 11_000),
      ...requests(pod, 'Under', 'Admitted', of - count, 14_000),
      ...requests(pod, 'Over', beyond, 10, 14_000),
    ]);
    const { behaviour, byPod, near } = behaviourOf([...before, ...sent]);
    return { behaviour, near, byPod: [...byPod.values()].map((pod) => pod.behaviour) };
  };

  it('differ only if that is not chance', () => {
    // 17 of 20 may be chance, and 0 of 10 is not.
    expect(judged('Error', { a: [17, 20], b: [20, 20], c: [20, 20] })).toMatchObject({
      behaviour: 'FailsClosed',
      byPod: ['FailsClosed', 'FailsClosed', 'FailsClosed'],
    });
    expect(judged('Error', { a: [10, 100], b: [0, 100], c: [10, 10] })).toMatchObject({
      behaviour: 'Mixed',
      byPod: ['Enforces', 'Enforces', 'FailsClosed'],
      near: undefined,
    });
  });

  it('are all Mixed if nine of ten callers may have had the same outcome, and had not', () => {
    expect(judged('Timeout', { a: [9, 10], b: [9, 10], c: [8, 10] })).toEqual({
      behaviour: 'Mixed',
      byPod: ['Mixed', 'Mixed', 'Mixed'],
      near: { other: 'Hangs', count: 26, of: 30 },
    });
  });

  it('are near what they would be with a few more of the same outcome', () => {
    const most = { a: [2, 10], b: [1, 10], c: [1, 10] } as const;
    expect(judged('Error', most).near).toEqual({ other: 'Enforces', count: 26, of: 30 });
    expect(judged('Error', most, 'Admitted').near).toMatchObject({ other: 'FailsOpen' });
    const hang = { a: [8, 10], b: [9, 10], c: [9, 10] } as const;
    expect(judged('Timeout', hang, 'Admitted').near).toMatchObject({ other: 'Hangs' });
    // Each pod is near the border, and all of them together are not.
    const few = { a: [16, 20], b: [16, 20], c: [16, 20] } as const;
    expect(judged('Error', few)).toMatchObject({ behaviour: 'Mixed', near: undefined });
    // Far from the border, above and below.
    const each = (count: number) => ({ a: [count, 100], b: [count, 100], c: [count, 100] }) as const;
    expect(judged('Error', each(99))).toMatchObject({ behaviour: 'FailsClosed', near: undefined });
    expect(judged('Error', each(50))).toMatchObject({ behaviour: 'Mixed', near: undefined });
  });
});

describe('a behaviour is not proven', () => {
  const missing = (list: readonly CallerRequest[], change: Partial<OutageSetup> = {}) =>
    behaviourOf(list, change).shortfalls;

  it('if callers were rejected before the fault', () => {
    const closed = before.map((request) =>
      request.pod === 'b' && request.caller === 'Under'
        ? { ...request, outcome: 'Rejected' as const }
        : request,
    );
    expect(missing([...closed, ...during(all('Rejected'), {})])).toEqual([
      { code: 'FailedBefore', pod: 'b', admitted: 0, of: 5 },
    ]);
  });

  it('if no pod rejected the caller over its limit before the fault', () => {
    const open = before.map((request) => ({ ...request, outcome: 'Admitted' as const }));
    expect(missing([...open, ...during(all('Admitted'), all('Admitted'))])).toEqual([
      { code: 'NotRejectedBefore', pods, admitted: 16, most: 10 },
    ]);
  });

  it('if a pod was not seen to work before the fault', () => {
    const unused = before.filter(({ caller, pod }) => pod !== 'b' || caller !== 'Under');
    expect(missing([...unused, ...during({}, {})])).toEqual([{ code: 'NotSentBefore', pod: 'b' }]);
    // It rejects others than the caller over its limit.
    const wrong = before.map((request): CallerRequest => {
      if (request.pod !== 'b' || request.outcome !== 'Rejected') return request;
      return { ...request, caller: 'Under' };
    });
    expect(missing([...wrong, ...during({}, {})])).toMatchObject([
      { code: 'FailedBefore', pod: 'b', admitted: 5, of: 7 },
      { code: 'NotRejectedBefore', pods: ['b'] },
    ]);
  });

  it('if one caller was never over its limit, unless it fails closed', () => {
    const closed = during(all('Rejected'), {}).filter(({ caller }) => caller === 'Under');
    const ofOne = { isOneCaller: true, preparedAt: 5000, limit: { ...limit, requests: 100 } };
    const of = (list: readonly CallerRequest[]) => missing([...before, ...list], ofOne);
    expect(of(closed)).toEqual([]);
    expect(of(during({}, {}).filter(({ caller }) => caller === 'Under'))).toMatchObject(
      pods.map((pod) => ({ code: 'TooFewRequests', pod, have: 0, need: 5, side: 'over' })),
    );
  });

  it('if a pod got too few requests', () => {
    const few = during({}, {}).filter(({ pod }) => pod !== 'c');
    expect(missing([...before, ...few])).toEqual([
      { code: 'TooFewRequests', pod: 'c', have: 0, need: 5, side: 'under' },
    ]);
  });
});

describe('the finding about a behaviour', () => {
  const closed = [...before, ...during(all('Error'), {})];
  const failed = (status: number, tookMs: number): CallerRequest => {
    const at = { sentAt: 11_000, endedAt: 11_000 + tookMs };
    return { pod: 'a', caller: 'Under', outcome: 'Error', status, ...at };
  };

  it('is broken since the first outcome under the limit that is not accepted', () => {
    expect(behaviourOf(closed, { accept: ['FailsClosed'] }).isBroken).toBe(false);
    expect(behaviourOf(closed)).toMatchObject({ isBroken: true, brokenAt: 11_005 });
    const kept = [...before, ...during({}, {})];
    expect(behaviourOf(kept, { accept: ['FailsClosed'] })).toMatchObject({
      isBroken: true,
      brokenAt: 11_005,
    });
  });

  it.each(['FailsOpen', 'Forgets'] as const)('is not dated if %s is not accepted: its count is', (word) => {
    const list = [...before, ...during({}, all('Admitted'))];
    expect(behaviourOf(list, { accept: word === 'Forgets' ? ['Forgets'] : ['Enforces'] })).toMatchObject({
      behaviour: 'FailsOpen',
      isBroken: true,
    });
    expect(behaviourOf(list).brokenAt).toBeUndefined();
  });

  it('has the statuses of requests that were not admitted, and how soon they came', () => {
    const some = [failed(500, 280), failed(500, 300), failed(500, 260), failed(503, 10)];
    const { evidence, measures } = behaviourOf([...closed, ...some]);
    expect(measures).toContainEqual({ name: 'serverErrors', value: 3, unit: 'requests' });
    expect(found(evidence, 'Statuses')).toMatchObject({
      statuses: [
        { status: 500, requests: 3, p50Ms: 280 },
        { status: 503, requests: 1, p50Ms: 10 },
      ],
    });
    expect(namesOf(behaviourOf(closed).evidence)).not.toContain('Statuses');
  });

  it('counts the requests of callers under their limits to all pods', () => {
    const names = Object.fromEntries(
      applying(behaviourOf([...before, ...during({ a: 'Error', c: 'Timeout' }, {})]).measures).map((one) => [
        one.name,
        one.value,
      ]),
    );
    expect(names).toEqual({ notAdmitted: 20, underLimit: 30 });
  });

  it('is broken if pods differ, even if each behaviour is accepted', () => {
    const list = [...before, ...during({ a: 'Rejected' }, {})];
    expect(behaviourOf(list, { accept: ['Enforces', 'FailsClosed'] }).isBroken).toBe(true);
    expect(behaviourOf(list, { accept: ['Mixed'] }).isBroken).toBe(false);
  });

  it.each<[readonly Behaviour[], boolean, boolean]>([
    [['Hangs', 'Mixed'], false, false],
    [['Hangs'], false, true],
    [['Mixed'], false, true],
    [['Enforces'], true, false],
  ])('near the border of Hangs and Mixed, with accept %j', (accept, isBroken, isMissing) => {
    const list = pods.flatMap((pod, i) => [
      ...requests(pod, 'Under', 'Timeout', i === 0 ? 8 : 9, 11_000),
      ...requests(pod, 'Under', 'Admitted', i === 0 ? 2 : 1, 14_000),
    ]);
    const finding = behaviourOf([...before, ...list], { accept });
    expect(finding.isBroken).toBe(isBroken);
    expect(namesOf(finding.missing).includes('NearBorderOfAccepted')).toBe(isMissing);
    expect(found(finding.evidence, 'NearBorder')).toMatchObject({ count: 26, of: 30 });
  });

  it.each<[string, Partial<OutageSetup>, boolean, string[]]>([
    ['if a caller that crossed it was rejected', {}, true, []],
    ['not if none was', {}, false, ['CrossingNotRejected']],
    ['if more than the limit is accepted as well', { accept: ['Enforces', 'FailsOpen'] }, false, []],
    ['if all callers share one limit', { isOneCaller: true }, false, []],
  ])('that the limit is enforced is shown %s', (_, change, isCrossed, missing) => {
    const crossing = pods.flatMap((pod) => requests(pod, 'Crossing', 'Rejected', 2, 12_000));
    const list = [...before, ...during({}, {}), ...(isCrossed ? crossing : [])];
    expect(namesOf(behaviourOf(list, change).missing)).toEqual(missing);
  });
});

describe('a pod that may be slow', () => {
  const slow = (
    pod: string,
    { answered = 10, control = 10, first = 0 }: { answered?: number; control?: number; first?: number } = {},
  ) => [
    ...requests(pod, 'Under', 'Timeout', first, 11_000),
    ...requests(pod, 'Control', 'Timeout', control, 11_500),
    ...requests(pod, 'Control', 'Admitted', answered, 11_500),
    ...requests(pod, 'Under', 'Timeout', 10, 11_600),
  ];
  const hanging = (pod: string) => slow(pod, { control: 0 });
  const judge = (list: readonly CallerRequest[], accept: readonly Behaviour[] = ['Enforces']) => {
    const { isBroken, missing } = behaviourOf([...before, ...list], { accept });
    return { isBroken, missing: namesOf(missing) };
  };
  const open = { isBroken: false, missing: ['ControlsUnanswered'] };

  it('leaves open whether its limiter hangs', () => {
    const all = pods.flatMap((pod) => slow(pod));
    expect(judge(all)).toEqual(open);
    expect(judge(pods.flatMap((pod) => slow(pod, { first: 4 })))).toEqual(open);
    expect(judge(all, ['Hangs'])).toEqual({ isBroken: false, missing: [] });
  });

  it.each<[string, CallerRequest[]]>([
    ['callers had no answer first', pods.flatMap((pod) => slow(pod, { first: 5 }))],
    ['control requests were answered', pods.flatMap((pod) => slow(pod, { control: 0 }))],
    ['no control request was answered', pods.flatMap((pod) => slow(pod, { answered: 0, control: 60 }))],
    ['another pod hangs as well', [...slow('a'), ...hanging('b'), ...hanging('c')]],
  ])('does not matter if %s', (_, list) => {
    expect(judge(list)).toMatchObject({ isBroken: true });
  });

  it('is named if the other pods keep the limit', () => {
    const others = during({}, {}).filter(({ pod }) => pod !== 'a');
    const { evidence, isBroken, missing } = behaviourOf([...before, ...slow('a'), ...others]);
    expect(isBroken).toBe(false);
    expect(namesOf(missing)).toEqual(['ControlsUnanswered']);
    expect(found(evidence, 'ControlsUnanswered')).toEqual({
      code: 'ControlsUnanswered',
      pods: [{ pod: 'a', unanswered: 10, of: 20 }],
    });
  });
});

it('any behaviour is judged; fail open needs a sender count over the bound', () => {
  const request = fc.record({
    pod: fc.constantFrom(...pods),
    caller: fc.constantFrom('Under' as const, 'Over' as const),
    outcome: fc.constantFrom<RequestOutcome>('Admitted', 'Rejected', 'Error', 'Timeout'),
    sentAt: fc.integer({ min: 0, max: 30_000 }),
    took: fc.integer({ min: 0, max: 1000 }),
  });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 200 }), (list) => {
      const sent = list.map(({ took, ...rest }) => ({ ...rest, endedAt: rest.sentAt + took }));
      const { behaviour, byPod, over, shortfalls } = behaviourOf(sent);
      expect(BEHAVIOURS).toContain(behaviour);
      if (behaviour === 'FailsOpen') expect(over.admitted).toBeGreaterThan(over.bound);
      if (behaviour === 'Enforces' && shortfalls.length === 0) expect(over.excess).toBe(0);
      for (const { beyond, overAtEdges, ...pod } of byPod.values()) {
        if (pod.behaviour === 'FailsOpen') expect(beyond.Admitted + overAtEdges).toBeGreaterThan(0);
      }
    }),
  );
});
