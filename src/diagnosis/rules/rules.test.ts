import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BundleParts,
  bundleOf,
  type Part,
  type Points,
} from '../../../test/fixtures/diagnosis/bundle.ts';
import { type EvidenceBundle, SIGNALS, type Signal } from '../../evidence/index.ts';
import { checkAnswer } from '../check-answer.ts';
import { explain } from './index.ts';

const REPLICAS = ['replica-1', 'replica-2', 'replica-3'] as const;

/** Points every `everyMs`, by a function of the time. */
function every(from: number, to: number, everyMs: number, value: (at: number) => number): Points {
  return Array.from({ length: Math.floor((to - from) / everyMs) + 1 }, (_, i) => {
    const at = from + i * everyMs;
    return [at, value(at)] as const;
  });
}

const reads = (value: (at: number) => number = () => 1): Part => [
  'store',
  'read-latency',
  every(-1000, 15_000, 250, value),
];
const writes = (value: (at: number) => number = () => 1): Part => [
  'store',
  'write-latency',
  every(-1000, 15_000, 250, value),
];
const limit: Part = ['client', 'limit', [[-900, 10]]];
const lag: Part = ['store', 'count-lag', [[-900, 3]]];
/** A store in order, and what is known of the limit. */
const well: Part[] = [reads(), writes(), limit, lag];

/** A store that gives no answer between two moments, and is prompt before and after. */
const away = (signal: 'read-latency' | 'write-latency', from: number, to: number): Part => [
  'store',
  signal,
  [...every(-1000, from, 250, () => 1), ...every(to, 9000, 250, () => 1)],
];

/** The same for every replica. */
const alike = <T>(one: T): T[] => REPLICAS.map(() => one);

/** A store that takes no writes from 0 to 10 s and answers reads. */
const stall: Part[] = [
  reads(),
  [
    'store',
    'write-latency',
    [
      [-1000, 1],
      [-500, 2],
      [10_002, 10_000],
      [10_252, 1],
      [15_000, 1],
    ],
  ],
  ['store', 'write-outstanding', every(250, 9750, 250, (at) => at - 2)],
];

/** Steady traffic from `from` to `to` at each replica: `each` says what it has admitted and denied at the end. */
function traffic(
  each: readonly { allowed: number; denied?: number; failed?: number; unanswered?: number }[],
  from = 300,
  to = 9000,
): Part[] {
  return each.flatMap((counts, i): Part[] => {
    const replica = REPLICAS[i] ?? 'replica-1';
    const grow = (total: number): Points =>
      every(from, to, 100, (at) => Math.min(total, Math.ceil((total * (at - from + 100)) / (to - from))));
    const sent = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const row = (signal: Signal, total: number | undefined): Part[] =>
      total ? [[replica, signal, grow(total)]] : [];
    return [
      ...row('requests-sent', sent),
      ...row('requests-admitted', counts.allowed),
      ...row('requests-rejected', counts.denied),
      ...row('requests-errors', counts.failed),
      ...row('requests-timeouts', counts.unanswered),
    ];
  });
}

/** What each replica allowed in a burst that came later. */
const otherBurst = (counts: readonly number[]): Part[] =>
  counts.map((count, i): Part => [REPLICAS[i] ?? 'replica-1', 'admitted-elsewhere', [[600, count]]]);

const local = (counts: readonly number[], at = 9000): Part[] =>
  counts.map(
    (count, i): Part => [
      REPLICAS[i] ?? 'replica-1',
      'count-local',
      [
        [0, 0],
        [at - 1500, count],
        [at, count],
        [14_900, count],
      ],
    ],
  );

const stored = (points: Points): Part => ['store', 'count-stored', points];
/** A count that has grown by `at` and stays. */
const storedFrom = (at: number, count: number): Part =>
  stored([
    [0, 0],
    [at, count],
    [14_900, count],
  ]);

const latency = (of: readonly number[]): Part[] =>
  of.map(
    (ms, i): Part => [
      REPLICAS[i] ?? 'replica-1',
      'request-latency',
      every(300, 9000, 100, (at) => ms + (at % 300) / 100),
    ],
  );

const drift = { formula: 'sum(count-local) - count-stored <= bound', values: { allowed: 6, apart: 30 } };
const ghosts = { formula: 'sum(requests-admitted) <= limit', values: { limit: 10, allowed: 20 } };

/** 20 requests within some milliseconds, all let through. */
const burst: Part[] = [7, 7, 6].flatMap((count, i): Part[] => {
  const replica = REPLICAS[i] ?? 'replica-1';
  return [
    [replica, 'arrivals', every(0, count - 1, 1, (at) => at + 1)],
    [
      replica,
      'requests-sent',
      [
        [0, 1],
        [8, count],
      ],
    ],
    [
      replica,
      'requests-admitted',
      [
        [5, 1],
        [14, count],
      ],
    ],
    [
      replica,
      'request-latency',
      [
        [5, 4],
        [14, 6],
      ],
    ],
    [
      replica,
      'count-local',
      [
        [-50, 0],
        [100, count],
        [2000, count],
      ],
    ],
  ];
});

interface Case extends BundleParts {
  readonly name: string;
  readonly anomaly: string;
  readonly component: string;
  readonly alternatives?: readonly string[];
}

const cases: Case[] = [
  {
    name: 'writes stall, and replicas count alone',
    parts: [
      ...stall,
      limit,
      lag,
      ...traffic(alike({ allowed: 10, denied: 90 })),
      ...local([10, 10, 10]),
      stored([
        [0, 0],
        [9900, 0],
        [10_100, 30],
        [14_900, 30],
      ]),
    ],
    invariant: { ...drift, broken: true },
    anomaly: 'store-writes-stalled',
    component: 'store',
    alternatives: ['uncoordinated-admission at replicas'],
  },
  {
    name: 'each write stalls for a while, and reads do not',
    parts: [
      reads(),
      writes((at) => (at >= 0 && at <= 8000 ? 300 : 2)),
      limit,
      ...traffic(alike({ allowed: 60 })),
    ],
    invariant: { ...ghosts, broken: true },
    anomaly: 'store-writes-stalled',
    component: 'store',
    alternatives: ['limit-not-enforced at replicas'],
  },
  {
    name: 'writes stall, and no replica admits what it cannot count',
    parts: [
      ...stall,
      limit,
      lag,
      ...traffic(alike({ allowed: 0, unanswered: 30 })),
      ...local([0, 0, 0]),
      stored([
        [0, 0],
        [14_900, 0],
      ]),
    ],
    anomaly: 'store-writes-stalled',
    component: 'store',
    alternatives: [],
  },
  {
    name: 'writes stall, and one replica admits every caller by its own count',
    parts: [
      ...stall,
      limit,
      lag,
      ...traffic([{ allowed: 10, denied: 60 }, { allowed: 68 }, { allowed: 10, denied: 60 }]),
      ...local([10, 68, 10]),
      stored([
        [0, 0],
        [14_900, 0],
      ]),
    ],
    invariant: { ...drift, broken: true },
    anomaly: 'limit-not-enforced',
    component: 'replica-2',
    alternatives: ['store-writes-stalled at store'],
  },
  {
    name: 'one replica goes beyond the limit in this burst, and all three do in the next',
    parts: [
      ...well,
      ...traffic([{ allowed: 7, denied: 13 }, { allowed: 20 }, { allowed: 9, denied: 11 }], 0, 100),
      ...otherBurst([20, 20, 18]),
    ],
    invariant: { ...ghosts, broken: true },
    anomaly: 'limit-not-enforced',
    component: 'replicas',
    alternatives: [],
  },
  {
    name: 'one replica goes beyond the limit in every burst',
    parts: [
      ...well,
      ...traffic([{ allowed: 3, denied: 17 }, { allowed: 20 }, { allowed: 4, denied: 16 }], 0, 100),
      ...otherBurst([5, 20, 2]),
    ],
    invariant: { ...ghosts, broken: true },
    anomaly: 'limit-not-enforced',
    component: 'replica-2',
    alternatives: [],
  },
  {
    name: 'writes stall, and every replica admits every caller',
    parts: [
      ...stall,
      limit,
      lag,
      ...traffic(alike({ allowed: 38 })),
      ...local([38, 38, 38]),
      stored([
        [0, 0],
        [14_900, 0],
      ]),
    ],
    invariant: { ...drift, broken: true },
    anomaly: 'store-writes-stalled',
    component: 'store',
    alternatives: ['limit-not-enforced at replicas'],
  },
  {
    name: 'a single replica admits every caller while writes stall',
    replicas: 1,
    parts: [...stall, limit, ...traffic([{ allowed: 100 }])],
    invariant: { ...ghosts, broken: true },
    anomaly: 'store-writes-stalled',
    component: 'store',
    alternatives: ['limit-not-enforced at replicas'],
  },
  {
    name: 'every replica admits every caller while writes stall, and only one got more requests than the limit',
    parts: [...stall, limit, ...traffic([{ allowed: 8 }, { allowed: 13 }, { allowed: 9 }])],
    invariant: { ...ghosts, broken: true },
    anomaly: 'store-writes-stalled',
    component: 'store',
    alternatives: ['limit-not-enforced at replicas'],
  },
  {
    name: 'a replica ignores the limit, and all else is well',
    parts: [
      ...well,
      ...traffic([{ allowed: 4, denied: 30 }, { allowed: 34 }, { allowed: 2, denied: 30 }]),
      ...local([4, 34, 2]),
      storedFrom(9100, 40),
    ],
    anomaly: 'limit-not-enforced',
    component: 'replica-2',
    alternatives: [],
  },
  {
    name: 'replicas decide before they know of each other',
    parts: [
      ...well,
      ...burst,
      stored([
        [-20, 0],
        [110, 20],
        [2000, 20],
      ]),
    ],
    invariant: { ...ghosts, broken: true },
    anomaly: 'uncoordinated-admission',
    component: 'replicas',
    alternatives: [],
  },
  {
    name: 'neither reads nor writes are answered',
    parts: [
      ['store', 'read-latency', every(-1000, 0, 250, () => 1)],
      ['store', 'write-latency', every(-1000, 0, 250, () => 1)],
      ['store', 'write-outstanding', [[250, 240]]],
      ['store', 'unreachable', every(250, 9000, 250, (at) => at)],
      limit,
      lag,
      ...traffic(alike({ allowed: 10, denied: 30 })),
      ...local([10, 10, 10]),
      stored([[0, 0]]),
    ],
    invariant: { ...drift, broken: true },
    anomaly: 'store-unreachable',
    component: 'store',
  },
  {
    name: 'the store comes back without what it held',
    parts: [
      away('read-latency', 2000, 4000),
      away('write-latency', 2000, 4000),
      ['store', 'unreachable', every(2250, 3750, 250, (at) => at - 2000)],
      limit,
      lag,
      ...traffic([
        { allowed: 6, denied: 30 },
        { allowed: 5, denied: 30 },
        { allowed: 5, denied: 30 },
      ]),
      ...local([6, 5, 5]),
      stored([
        [0, 0],
        [1900, 10],
        [4100, 0],
        [9000, 6],
      ]),
    ],
    invariant: { ...drift, broken: true },
    anomaly: 'store-restarted',
    component: 'store',
  },
  {
    name: 'the store comes back and its count is not there any more',
    parts: [
      away('read-latency', 2000, 4000),
      ['store', 'unreachable', every(2250, 3750, 250, (at) => at - 2000)],
      limit,
      lag,
      ...local([4, 3, 3]),
      stored([
        [0, 0],
        [1900, 10],
      ]),
    ],
    anomaly: 'store-restarted',
    component: 'store',
  },
  {
    name: 'the store comes back empty before its counts were seen',
    parts: [
      away('read-latency', 500, 2000),
      ['store', 'unreachable', every(750, 1750, 250, (at) => at - 500)],
      limit,
      ...REPLICAS.map(
        (replica): Part => [
          replica,
          'count-local',
          [
            [0, 0],
            [400, 3],
            [9000, 3],
          ],
        ],
      ),
      stored([
        [0, 0],
        [8900, 0],
      ]),
    ],
    anomaly: 'store-restarted',
    component: 'store',
  },
  {
    name: 'everything that the store answers comes late',
    parts: [
      reads((at) => (at > 0 && at < 10_000 ? 210 : 1)),
      writes((at) => (at > 0 && at < 10_000 ? 220 : 1)),
      ['store', 'write-outstanding', every(250, 9750, 500, () => 180)],
      limit,
      lag,
      ...traffic(alike({ allowed: 4, denied: 30 })),
      ...local([4, 4, 4]),
      stored([
        [0, 0],
        [14_900, 12],
      ]),
      ...latency([400, 420, 410]),
    ],
    anomaly: 'store-slow',
    component: 'store',
  },
  {
    name: 'a replica is away',
    parts: [
      ...well,
      ...traffic([
        { allowed: 5, denied: 40 },
        { allowed: 0, unanswered: 40 },
        { allowed: 5, denied: 40 },
      ]),
      ['replica-2', 'unreachable', every(400, 9000, 100, (at) => at)],
      ['replica-1', 'count-local', every(0, 9000, 500, (at) => Math.min(5, Math.floor(at / 500)))],
      ['replica-3', 'count-local', every(0, 9000, 500, (at) => Math.min(5, Math.floor(at / 500)))],
      stored([
        [0, 0],
        [5000, 10],
        [9000, 10],
      ]),
    ],
    anomaly: 'replica-unreachable',
    component: 'replica-2',
    alternatives: [],
  },
  {
    name: 'a replica is cut off from the store and counts alone',
    parts: [
      ...well,
      ...traffic([
        { allowed: 5, denied: 40 },
        { allowed: 5, denied: 40 },
        { allowed: 10, denied: 40 },
      ]),
      ...local([5, 5, 10]),
      storedFrom(8000, 10),
    ],
    invariant: { ...drift, broken: true },
    anomaly: 'replica-cut-off',
    component: 'replica-3',
  },
  {
    name: 'a replica is cut off from the store and answers errors',
    parts: [
      reads(),
      writes(),
      limit,
      ...traffic([
        { allowed: 5, denied: 40 },
        { allowed: 0, failed: 45 },
        { allowed: 5, denied: 40 },
      ]),
      ...local([5, 0, 5]),
      storedFrom(9100, 10),
    ],
    anomaly: 'replica-cut-off',
    component: 'replica-2',
  },
  {
    name: 'a replica answers far later than the others',
    parts: [
      ...well,
      ...traffic([
        { allowed: 4, denied: 40 },
        { allowed: 3, denied: 40 },
        { allowed: 3, denied: 40 },
      ]),
      ...local([4, 3, 3]),
      storedFrom(9100, 10),
      ...latency([3, 4, 380]),
    ],
    anomaly: 'replica-slow',
    component: 'replica-3',
    alternatives: [],
  },
  {
    name: 'writes stall, and one replica is away as well',
    parts: [
      ...stall,
      limit,
      lag,
      ...traffic([
        { allowed: 10, denied: 60 },
        { allowed: 0, unanswered: 60 },
        { allowed: 10, denied: 60 },
      ]),
      ['replica-2', 'unreachable', every(400, 9000, 100, (at) => at)],
      ['replica-1', 'count-local', every(0, 9000, 500, (at) => Math.min(10, Math.floor(at / 300)))],
      ['replica-3', 'count-local', every(0, 9000, 500, (at) => Math.min(10, Math.floor(at / 300)))],
      stored([
        [0, 0],
        [9000, 0],
      ]),
    ],
    invariant: { ...drift, broken: true },
    anomaly: 'store-writes-stalled',
    component: 'store',
    alternatives: ['replica-unreachable at replica-2', 'uncoordinated-admission at replicas'],
  },
  {
    name: 'writes stall; a replica that answers late is loud and innocent of the drift',
    parts: [
      ...stall,
      limit,
      lag,
      ...latency([300, 3, 4]),
      ...local([10, 10, 10]),
      stored([
        [0, 0],
        [9500, 0],
      ]),
    ],
    invariant: { ...drift, broken: true },
    anomaly: 'store-writes-stalled',
    component: 'store',
    alternatives: ['replica-slow at replica-1', 'uncoordinated-admission at replicas'],
  },
  {
    name: 'what must hold is broken, and nothing shows why',
    parts: [reads(), writes()],
    invariant: { ...drift, broken: true },
    anomaly: 'unknown',
    component: 'none',
  },
];

const healthy: Case[] = [
  {
    name: 'all is well under steady traffic',
    parts: [
      ...well,
      ...traffic([
        { allowed: 4, denied: 40 },
        { allowed: 3, denied: 40 },
        { allowed: 3, denied: 40 },
      ]),
      ...local([4, 3, 3]),
      storedFrom(9100, 10),
      ...latency([3, 4, 5]),
    ],
    invariant: { ...drift, broken: false },
    anomaly: 'none',
    component: 'none',
  },
  {
    name: 'the machine is under load: probes and answers come late now and then',
    parts: [
      reads((at) => (at % 2000 === 0 ? 140 : 2)),
      writes((at) => (at % 3000 === 0 ? 260 : 3)),
      ['store', 'write-outstanding', [[3000, 300]]],
      ['store', 'unreachable', [[5000, 240]]],
      ['replica-1', 'unreachable', [[5000, 300]]],
      limit,
      lag,
      ...traffic([
        { allowed: 4, denied: 40 },
        { allowed: 5, denied: 40, unanswered: 1 },
        { allowed: 3, denied: 40 },
      ]),
      ...local([4, 5, 3]),
      stored([
        [0, 0],
        [9100, 10],
        [14_900, 12],
      ]),
      ['replica-1', 'request-latency', every(300, 9000, 100, (at) => (at % 700 === 0 ? 190 : 9))],
      ['replica-2', 'request-latency', every(300, 9000, 100, (at) => (at % 500 === 0 ? 120 : 8))],
    ],
    invariant: { ...drift, broken: false },
    anomaly: 'none',
    component: 'none',
  },
  {
    name: 'the prober is slow: writes and reads come late all along',
    parts: [reads((at) => (at % 500 === 0 ? 120 : 60)), writes(() => 150), limit],
    anomaly: 'none',
    component: 'none',
  },
  {
    name: 'writes come late, and too few reads show that the prober is quick',
    parts: [
      ['store', 'read-latency', every(-1000, 5000, 3000, () => 1)],
      writes((at) => (at >= 0 && at <= 8000 ? 300 : 2)),
      limit,
    ],
    anomaly: 'none',
    component: 'none',
  },
  {
    name: 'no request was sent',
    parts: [reads(), writes(), limit],
    anomaly: 'none',
    component: 'none',
  },
  {
    name: 'a window ended, and all counts began again',
    parts: [
      ...well,
      ...REPLICAS.map(
        (replica): Part => [
          replica,
          'count-local',
          [
            [0, 3],
            [5000, 3],
            [5100, 0],
            [9000, 1],
          ],
        ],
      ),
      stored([
        [0, 9],
        [5050, 9],
        [5150, 0],
        [9100, 3],
      ]),
    ],
    anomaly: 'none',
    component: 'none',
  },
];

describe('explain', () => {
  it.each([...cases, ...healthy])('$name', ({ alternatives, anomaly, component, ...parts }) => {
    const bundle = bundleOf(parts);
    const answer = explain(bundle);
    expect(`${answer.anomaly} at ${answer.component}`).toBe(`${anomaly} at ${component}`);
    expect(checkAnswer(answer, bundle)).toEqual({ answer });
    if (alternatives) {
      expect(answer.alternatives.map((other) => `${other.anomaly} at ${other.component}`)).toEqual(
        alternatives,
      );
    }
  });

  it('cites its evidence, and names what it is not', () => {
    const [first] = cases;
    const bundle = bundleOf(first ?? { parts: [] });
    const { chain } = explain(bundle);
    const cited = chain.map(({ evidence }) =>
      evidence.map((id) => bundle.series.find((series) => series.id === id)?.signal),
    );
    expect(cited[0]).toContain('write-outstanding');
    expect(cited[1]).toEqual(['read-latency']);
    expect(cited[2]).toEqual(expect.arrayContaining(['count-local', 'count-stored']));
    expect(chain[1]?.text).toMatch(/its writes stalled/);
  });

  it('states that the store had counted in time only if it had', () => {
    const saying = (at: number): string =>
      explain(
        bundleOf({
          parts: [
            reads(),
            limit,
            ...burst,
            stored([
              [-20, 0],
              [at, 12],
            ]),
          ],
          invariant: { ...ghosts, broken: true },
        }),
      )
        .chain.map(({ text }) => text)
        .join(' ');
    expect(saying(110)).toMatch(/limit 110 ms after .*more than/);
    expect(saying(3)).toMatch(/3 ms after .*not use/);
  });

  it('rules go by order: a stall does not explain what was admitted before it', () => {
    const late = stall.map(
      ([component, what, value]): Part =>
        typeof value === 'number'
          ? [component, what, value]
          : [
              component,
              what as Signal,
              value.map(([at, v]): [number, number] => [at > 0 ? at + 3000 : at, v]),
            ],
    );
    const bundle = bundleOf({
      parts: [
        ...late,
        limit,
        lag,
        ...burst,
        stored([
          [-20, 0],
          [110, 20],
          [2000, 20],
        ]),
      ],
      invariant: { ...ghosts, broken: true },
    });
    expect(explain(bundle).anomaly).toBe('uncoordinated-admission');
  });

  it('uses the limit of each moment if it grows', () => {
    const allowed = (times: readonly number[]): Points => times.map((at, i) => [at, i + 1] as const);
    const growing: Part = [
      'client',
      'limit',
      [
        [0, 4],
        [100, 4],
        [10_000, 9],
      ],
    ];
    const at = (second: number): Part[] => [
      reads(),
      writes(),
      growing,
      ['replica-1', 'requests-admitted', allowed([10, 20, 30])],
      ['replica-2', 'requests-admitted', allowed([10, 20, second, second])],
    ];
    const invariant = { formula: 'sum(requests-admitted) <= bound', values: {}, broken: true };
    const early = explain(bundleOf({ parts: at(30), invariant }));
    expect(early).toMatchObject({ anomaly: 'uncoordinated-admission', component: 'replicas' });
    expect(early.chain[0]?.text).toMatch(/^7 requests .*admitted, .*may admit 4\.$/);
    // As many, and the last of them when there was room again.
    const late = explain(bundleOf({ parts: at(9000), invariant: { ...invariant, broken: false } }));
    expect(late.anomaly).toBe('none');
  });

  it('does not depend on names, on ids, or on the order of series', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...cases),
        fc.shuffledSubarray([1, 2, 3], { minLength: 3 }),
        fc.infiniteStream(fc.nat()),
        ({ anomaly, component, ...parts }, places, order) => {
          const bundle = bundleOf(parts);
          const renamed = (name: string): string =>
            name.replace(/^replica-(\d)$/, (__, i: string) => `replica-${places[Number(i) - 1] ?? i}`);
          const series = bundle.series
            .map((one) => ({ one, key: order.next().value ?? 0 }))
            .sort((a, b) => a.key - b.key)
            .map(({ one }, i) => ({ ...one, component: renamed(one.component), id: `s${900 - i}` }));
          const other: EvidenceBundle = { ...bundle, series };
          const answer = explain(other);
          expect(`${answer.anomaly} at ${answer.component}`).toBe(`${anomaly} at ${renamed(component)}`);
          expect(checkAnswer(answer, other)).toEqual({ answer });
        },
      ),
      { numRuns: 200 },
    );
  });

  it('gives an answer that passes the check for any evidence at all', () => {
    const signals = Object.keys(SIGNALS) as Signal[];
    const part = fc
      .record({
        component: fc.constantFrom(...REPLICAS, 'store', 'client'),
        signal: fc.constantFrom(...signals),
        points: fc.array(fc.tuple(fc.integer({ min: -1e6, max: 1e6 }), fc.integer({ min: 0, max: 1e5 })), {
          minLength: 1,
          maxLength: 12,
        }),
      })
      .map(({ component, points, signal }): Part => [component, signal, points.sort((a, b) => a[0] - b[0])]);
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 30 }), fc.boolean(), (parts, broken) => {
        const bundle = bundleOf({ parts, invariant: { ...drift, broken } });
        const answer = explain(bundle);
        expect(checkAnswer(answer, bundle)).toEqual({ answer });
      }),
      { numRuns: 500 },
    );
  });

  it('has no result if nothing was seen', () => {
    expect(() => explain(bundleOf({ parts: [] }))).toThrow(/nothing was seen/);
  });
});
