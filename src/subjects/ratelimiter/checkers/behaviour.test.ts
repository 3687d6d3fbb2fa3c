import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallerRequest, RequestOutcome } from '../history/events.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import { BEHAVIOURS, behaviourOf as behavedOf } from './behaviour.ts';
import { overOf } from './over-admission.ts';
import type { CallerSettings, Span } from './requests.ts';

const limit: RateLimit = { algorithm: 'FixedWindow', requests: 10, windowMs: 60_000, start: 'FirstRequest' };
const pods = ['a', 'b', 'c'];
const settings: CallerSettings = { pods, limit, callerTimeoutMs: 1000, firstSentAt: 0 };
/** What callers got, and how much more than their limits. */
const behaviourOf = (of: CallerSettings, requests: readonly CallerRequest[], span: Span) => {
  const over = overOf(of, requests, span);
  return { ...over, ...behavedOf(of, requests, span, over) };
};

const FAULT = { startedAt: 10_000, endedAt: 20_000 };

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

describe('what callers get while Redis takes no writes', () => {
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
    const judged = behaviourOf(settings, [...before, ...during(within, beyond)], FAULT);
    expect(judged).toMatchObject({ behaviour, shortfalls: [] });
  });

  it('one caller over its limit shows fail open, by the pods that admitted it', () => {
    const reaching = [
      ...requests('a', 'New', 'Admitted', 12, 11_000),
      ...requests('b', 'New', 'Rejected', 12, 11_001),
      ...requests('c', 'New', 'Rejected', 12, 11_002),
    ];
    const judged = behaviourOf(settings, [...before, ...during({}, {}), ...reaching], FAULT);
    expect(judged).toMatchObject({ over: { excess: 2 }, excess: { beyond: 0, crossing: 2 }, shortfalls: [] });
    expect([...judged.byPod].map(([, { behaviour }]) => behaviour)).toEqual([
      'FailsOpen',
      'Enforces',
      'Enforces',
    ]);
    expect(judged.reached.size).toBe(0);
  });

  it('does not hold where a caller that comes to its limit is left waiting', () => {
    const reaching = pods.flatMap((pod) => requests(pod, 'New', 'Timeout', 10, 11_000));
    const judged = behaviourOf(settings, [...before, ...during({}, {}), ...reaching], FAULT);
    expect(judged.behaviour).toBe('Mixed');
  });

  it('is told of each pod', () => {
    const { byPod } = behaviourOf(settings, [...before, ...during({ c: 'Timeout' }, {})], FAULT);
    expect([...byPod].map(([pod, { behaviour }]) => [pod, behaviour])).toEqual([
      ['a', 'Enforces'],
      ['b', 'Enforces'],
      ['c', 'Hangs'],
    ]);
    expect(byPod.get('c')?.within).toEqual({ Admitted: 0, Rejected: 0, Error: 0, Timeout: 10 });
  });

  it('is mixed where a limiter changes its mind in mid-fault', () => {
    const changed = pods.flatMap((pod) => [
      ...requests(pod, 'Under', 'Timeout', 5, 11_000),
      ...requests(pod, 'Under', 'Admitted', 15, 14_000),
    ]);
    expect(behaviourOf(settings, [...before, ...changed], FAULT).behaviour).toBe('Mixed');
  });

  it('forgives one caller in ten', () => {
    const most = pods.flatMap((pod) => [
      ...requests(pod, 'Under', 'Error', 1, 11_000),
      ...requests(pod, 'Under', 'Admitted', 9, 14_000),
      ...requests(pod, 'Over', 'Rejected', 9, 14_000),
    ]);
    expect(behaviourOf(settings, [...before, ...most], FAULT).behaviour).toBe('Enforces');
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
    expect(behaviourOf(settings, [...before, ...mixed], FAULT).behaviour).toBe(behaviour);
  });

  it('the first request over the limit of an unused key shows fail open', () => {
    const one = requests('a', 'Over', 'Admitted', 1, 12_000);
    const judged = behaviourOf(settings, [...before, ...during({}, {}), ...one], FAULT);
    expect(judged.over).toMatchObject({ excess: 1, admitted: 11, bound: 10 });
    expect(judged.byPod.get('a')?.behaviour).toBe('FailsOpen');
  });

  it('is mixed where one pod leaks, and the others hold', () => {
    const judged = behaviourOf(settings, [...before, ...during({}, { a: 'Admitted' })], FAULT);
    expect(judged).toMatchObject({ behaviour: 'Mixed', shortfalls: [] });
    expect([...judged.byPod.values()].map(({ behaviour }) => behaviour)).toEqual([
      'FailsOpen',
      'Enforces',
      'Enforces',
    ]);
  });

  it('over-admission as the pause ends is separate: a late request is in no count', () => {
    const late = requests('a', 'Over', 'Admitted', 2, 19_500);
    const { byPod } = behaviourOf(settings, [...before, ...during({}, {}), ...late], FAULT);
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
    const of = (change: Partial<CallerSettings>, list: readonly CallerRequest[]) =>
      behaviourOf({ ...settings, ...change }, list, FAULT).byPod.get('a')?.overAtEdges;
    expect(of({}, [...before, ...during({}, {}), ...edges])).toBe(2);
    expect(of({ oneLimitFrom: 9000 }, [...during({}, { a: 'Admitted' }), ...edges])).toBe(2);
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
    expect(behaviourOf(settings, list, FAULT).byPod.get('a')?.hungFirst).toBe(1);
  });

  it('does not count what the end of the fault may have answered', () => {
    const late = pods.flatMap((pod) => requests(pod, 'Under', 'Admitted', 50, 19_100));
    const judged = behaviourOf(settings, [...before, ...during(all('Timeout'), {}), ...late], FAULT);
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
    const { behaviour, byPod, near } = behaviourOf(settings, [...before, ...sent], FAULT);
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

describe('what proves nothing', () => {
  const judge = (list: readonly CallerRequest[]) => behaviourOf(settings, list, FAULT).shortfalls.join('; ');

  it('is a limiter that turned callers away before the fault', () => {
    const closed = before.map((request) =>
      request.pod === 'b' && request.caller === 'Under'
        ? { ...request, outcome: 'Rejected' as const }
        : request,
    );
    expect(judge([...closed, ...during(all('Rejected'), {})])).toMatch(/before .* b admitted 0 of 5/);
  });

  it('is a limiter that rejected nobody before the fault', () => {
    const open = before.map((request) => ({ ...request, outcome: 'Admitted' as const }));
    expect(judge([...open, ...during(all('Admitted'), all('Admitted'))])).toContain(
      'a, b and c rejected no request',
    );
  });

  it('is a pod that was not seen in order before the fault', () => {
    const unused = before.filter(({ caller, pod }) => pod !== 'b' || caller !== 'Under');
    expect(judge([...unused, ...during({}, {})])).toMatch(/^b got no request .* before the fault$/);
    // It rejects others than the caller over its limit.
    const wrong = before.map((request): CallerRequest => {
      if (request.pod !== 'b' || request.outcome !== 'Rejected') return request;
      return { ...request, caller: 'Under' };
    });
    expect(judge([...wrong, ...during({}, {})])).toMatch(
      / b admitted 5 of 7 .*; before the fault b rejected no /,
    );
  });

  it('of one caller is not a missing request over its limit if it fails closed', () => {
    const closed = during(all('Rejected'), {}).filter(({ caller }) => caller === 'Under');
    const of = (list: readonly CallerRequest[]) =>
      behaviourOf(
        { ...settings, limit: { ...limit, requests: 100 }, oneLimitFrom: 5000 },
        [...before, ...list],
        FAULT,
      ).shortfalls;
    expect(of(closed)).toEqual([]);
    expect(of(during({}, {}).filter(({ caller }) => caller === 'Under'))).toHaveLength(pods.length);
  });

  it('is a pod that too few callers asked', () => {
    const few = during({}, {}).filter(({ pod }) => pod !== 'c');
    expect(judge([...before, ...few])).toMatch(/c got 0 requests under/);
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
      const { behaviour, byPod, over, shortfalls } = behaviourOf(settings, sent, FAULT);
      expect(BEHAVIOURS).toContain(behaviour);
      if (behaviour === 'FailsOpen') expect(over.admitted).toBeGreaterThan(over.bound);
      if (behaviour === 'Enforces' && shortfalls.length === 0) expect(over.excess).toBe(0);
      for (const { beyond, overAtEdges, ...pod } of byPod.values()) {
        if (pod.behaviour === 'FailsOpen') expect(beyond.Admitted + overAtEdges).toBeGreaterThan(0);
      }
    }),
  );
});
