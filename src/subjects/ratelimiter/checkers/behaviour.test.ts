import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallerRequest, RequestOutcome } from '../history/events.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import { BEHAVIOURS, behaviourOf as behavedOf } from './behaviour.ts';
import { overOf } from './over-admission.ts';
import type { CallerSettings, Span } from './requests.ts';

const limit: RateLimit = { algorithm: 'FixedWindow', requests: 10, windowMs: 60_000, start: 'FirstRequest' };
const nodes = ['a', 'b', 'c'];
const settings: CallerSettings = { nodes, limit, callerTimeoutMs: 1000, firstSentAt: 0 };
/** What callers got, and how much more than their limits. */
const behaviourOf = (of: CallerSettings, requests: readonly CallerRequest[], span: Span) => {
  const over = overOf(of, requests, span);
  return { ...over, ...behavedOf(of, requests, span, over) };
};

const FAULT = { startedAt: 10_000, endedAt: 20_000 };

const requests = (
  node: string,
  caller: CallerRequest['caller'],
  outcome: RequestOutcome,
  count: number,
  sentAt: number,
): CallerRequest[] =>
  Array.from({ length: count }, (_, i) => {
    const at = sentAt + i * 10;
    return { pod: node, caller, outcome, sentAt: at, endedAt: at + (outcome === 'Timeout' ? 1000 : 5) };
  });

/** A limiter in order: ten are admitted over all nodes, then callers are rejected; others are admitted. */
const before = nodes.flatMap((node, i) => [
  ...requests(node, 'Under', 'Admitted', 5, 1000),
  ...requests(node, 'Over', 'Admitted', i === 0 ? 4 : 3, 100 + i),
  ...requests(node, 'Over', 'Rejected', 2, 2000),
]);

/** What callers within and beyond their limit got of each node. */
const during = (
  within: Record<string, RequestOutcome>,
  beyond: Record<string, RequestOutcome>,
): CallerRequest[] =>
  nodes.flatMap((node) => [
    ...requests(node, 'Under', within[node] ?? 'Admitted', 10, 11_000),
    ...requests(node, 'Over', beyond[node] ?? 'Rejected', 10, 11_000),
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
    ['one node waits', { c: 'Timeout' }, all('Rejected'), 'Mixed'],
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
    expect([...judged.byNode].map(([, { behaviour }]) => behaviour)).toEqual([
      'FailsOpen',
      'Enforces',
      'Enforces',
    ]);
    expect(judged.reached.size).toBe(0);
  });

  it('does not hold where a caller that comes to its limit is left waiting', () => {
    const reaching = nodes.flatMap((node) => requests(node, 'New', 'Timeout', 10, 11_000));
    const judged = behaviourOf(settings, [...before, ...during({}, {}), ...reaching], FAULT);
    expect(judged.behaviour).toBe('Mixed');
  });

  it('is told of each node', () => {
    const { byNode } = behaviourOf(settings, [...before, ...during({ c: 'Timeout' }, {})], FAULT);
    expect([...byNode].map(([node, { behaviour }]) => [node, behaviour])).toEqual([
      ['a', 'Enforces'],
      ['b', 'Enforces'],
      ['c', 'Hangs'],
    ]);
    expect(byNode.get('c')?.within).toEqual({ Admitted: 0, Rejected: 0, Error: 0, Timeout: 10 });
  });

  it('is mixed where a limiter changes its mind in mid-fault', () => {
    const changed = nodes.flatMap((node) => [
      ...requests(node, 'Under', 'Timeout', 5, 11_000),
      ...requests(node, 'Under', 'Admitted', 15, 14_000),
    ]);
    expect(behaviourOf(settings, [...before, ...changed], FAULT).behaviour).toBe('Mixed');
  });

  it('forgives one caller in ten', () => {
    const most = nodes.flatMap((node) => [
      ...requests(node, 'Under', 'Error', 1, 11_000),
      ...requests(node, 'Under', 'Admitted', 9, 14_000),
      ...requests(node, 'Over', 'Rejected', 9, 14_000),
    ]);
    expect(behaviourOf(settings, [...before, ...most], FAULT).behaviour).toBe('Enforces');
  });

  it.each([
    [91, 'FailsClosed'],
    [88, 'Mixed'],
  ])('has one word if nine of ten callers get the same: of 100 to each pod, %i', (failed, behaviour) => {
    const mixed = nodes.flatMap((node) => [
      ...requests(node, 'Under', 'Error', failed, 11_000),
      ...requests(node, 'Under', 'Admitted', 100 - failed, 14_000),
      ...requests(node, 'Over', 'Rejected', 9, 14_000),
    ]);
    expect(behaviourOf(settings, [...before, ...mixed], FAULT).behaviour).toBe(behaviour);
  });

  it('the first request over the limit of an unused key shows fail open', () => {
    const one = requests('a', 'Over', 'Admitted', 1, 12_000);
    const judged = behaviourOf(settings, [...before, ...during({}, {}), ...one], FAULT);
    expect(judged.over).toMatchObject({ excess: 1, admitted: 11, bound: 10 });
    expect(judged.byNode.get('a')?.behaviour).toBe('FailsOpen');
  });

  it('is mixed where one node leaks, and the others hold', () => {
    const judged = behaviourOf(settings, [...before, ...during({}, { a: 'Admitted' })], FAULT);
    expect(judged).toMatchObject({ behaviour: 'Mixed', shortfalls: [] });
    expect([...judged.byNode.values()].map(({ behaviour }) => behaviour)).toEqual([
      'FailsOpen',
      'Enforces',
      'Enforces',
    ]);
  });

  it('over-admission as the pause ends is separate: a late request is in no count', () => {
    const late = requests('a', 'Over', 'Admitted', 2, 19_500);
    const { byNode } = behaviourOf(settings, [...before, ...during({}, {}), ...late], FAULT);
    expect(byNode.get('a')).toMatchObject({
      behaviour: 'FailsOpen',
      beyond: { Admitted: 0 },
      overAtEdges: 2,
    });
    expect(byNode.get('b')).toMatchObject({ behaviour: 'Enforces', overAtEdges: 0 });
  });

  it('does not count what the end of the fault may have answered', () => {
    const late = nodes.flatMap((node) => requests(node, 'Under', 'Admitted', 50, 19_100));
    const judged = behaviourOf(settings, [...before, ...during(all('Timeout'), {}), ...late], FAULT);
    expect(judged.behaviour).toBe('Hangs');
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
    expect(judge([...closed, ...during(all('Rejected'), {})])).toContain(
      'before the fault b admitted 0 of 5',
    );
  });

  it('is a limiter that rejected nobody before the fault', () => {
    const open = before.map((request) => ({ ...request, outcome: 'Admitted' as const }));
    expect(judge([...open, ...during(all('Admitted'), all('Admitted'))])).toContain('was rejected');
  });

  it('is a limiter that let more than the limit through before the fault', () => {
    const leaked = requests('a', 'Over', 'Admitted', 2, 3000);
    expect(judge([...before, ...leaked, ...during({}, {})])).toMatch(/before the fault 12 .* 10 /);
  });

  it('is a node that too few callers asked', () => {
    const few = during({}, {}).filter(({ pod: node }) => node !== 'c');
    expect(judge([...before, ...few])).toContain('c got 0 requests under the limit');
  });
});

it('any behaviour is judged; fail open needs a sender count over the bound', () => {
  const request = fc.record({
    pod: fc.constantFrom(...nodes),
    caller: fc.constantFrom('Under' as const, 'Over' as const),
    outcome: fc.constantFrom<RequestOutcome>('Admitted', 'Rejected', 'Error', 'Timeout'),
    sentAt: fc.integer({ min: 0, max: 30_000 }),
    took: fc.integer({ min: 0, max: 1000 }),
  });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 200 }), (list) => {
      const sent = list.map(({ took, ...rest }) => ({ ...rest, endedAt: rest.sentAt + took }));
      const { behaviour, byNode, over, shortfalls } = behaviourOf(settings, sent, FAULT);
      expect(BEHAVIOURS).toContain(behaviour);
      if (behaviour === 'FailsOpen') expect(over.admitted).toBeGreaterThan(over.bound);
      if (behaviour === 'Enforces' && shortfalls.length === 0) expect(over.excess).toBe(0);
      for (const { beyond, overAtEdges, ...node } of byNode.values()) {
        if (node.behaviour === 'FailsOpen') expect(beyond.Admitted + overAtEdges).toBeGreaterThan(0);
      }
    }),
  );
});
