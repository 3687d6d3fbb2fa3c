import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS, statusSchema } from '../api/index.ts';
import { type EvidenceBundle, type EvidenceComponent, SIGNALS, type Signal } from '../evidence/index.ts';
import type { DiagnosisRequest } from './index.ts';
import { explain } from './rules.ts';

const components: EvidenceComponent[] = [
  { name: 'a', role: 'replica' },
  { name: 'b', role: 'replica' },
  { name: 'c', role: 'replica' },
  { name: 'shelf', role: 'store' },
  { name: 'sender', role: 'client' },
];

type Row = [atMs: number, component: string, signal: Signal, value: number];

function bundle(rows: Row[], parts: EvidenceComponent[]): EvidenceBundle {
  const bySeries = Map.groupBy(rows, ([, component, signal]) => `${component} ${signal}`);
  return {
    version: 'evidence/v1',
    components: parts,
    relations: [],
    series: [...bySeries.values()].map((some, i) => {
      const [[, component, signal]] = some as [Row, ...Row[]];
      const points = some.map(([atMs, , , value]): [number, number] => [atMs, value]);
      return { id: `s${i + 1}`, component, signal, unit: SIGNALS[signal].unit, points };
    }),
    events: [],
  };
}

function request(rows: Row[], parts: EvidenceComponent[] = components): DiagnosisRequest {
  return { scenario: 'x', bundle: bundle(rows, parts) };
}

const usual: Row[] = [
  [-900, 'shelf', 'write-latency', 1],
  [-500, 'shelf', 'count-lag', 1],
  [-100, 'sender', 'limit', 10],
  [-90, 'a', 'count-local', 0],
  [-90, 'b', 'count-local', 0],
  [-90, 'c', 'count-local', 0],
  [-80, 'shelf', 'count-stored', 0],
];

const stalled: Row[] = [
  [150, 'shelf', 'write-outstanding', 150],
  [160, 'shelf', 'read-latency', 2],
];

const countedAlone: Row[] = [
  [500, 'a', 'requests-sent', 20],
  [500, 'b', 'requests-sent', 20],
  [500, 'c', 'requests-sent', 20],
  [600, 'a', 'count-local', 10],
  [600, 'b', 'count-local', 10],
  [600, 'c', 'count-local', 10],
  [610, 'shelf', 'count-stored', 0],
];

const burst: Row[] = [
  [0, 'a', 'requests-sent', 7],
  [2, 'b', 'requests-sent', 7],
  [4, 'c', 'requests-sent', 6],
  [10, 'a', 'requests-allowed', 7],
  [11, 'b', 'requests-allowed', 7],
  [12, 'c', 'requests-allowed', 6],
  [20, 'shelf', 'write-latency', 1],
  [30, 'shelf', 'count-stored', 0],
  [100, 'a', 'count-local', 7],
  [100, 'b', 'count-local', 7],
  [100, 'c', 'count-local', 6],
  [110, 'shelf', 'count-stored', 20],
];

const cases: { name: string; rows: Row[]; anomaly: RegExp; component: string; confidence: string }[] = [
  {
    name: 'writes hang, reads answer, replicas count alone',
    rows: [...usual, ...stalled, ...countedAlone],
    anomaly: /drift/,
    component: 'shelf',
    confidence: 'high',
  },
  {
    name: 'writes hang, reads answer, counts hold',
    rows: [...usual, ...stalled, [700, 'a', 'count-local', 0], [710, 'shelf', 'count-stored', 0]],
    anomaly: /no writes; counts held/,
    component: 'shelf',
    confidence: 'medium',
  },
  {
    name: 'writes hang, and one of three replicas lets everybody through',
    rows: [
      ...usual,
      ...stalled,
      [500, 'a', 'requests-sent', 70],
      [500, 'b', 'requests-sent', 70],
      [500, 'c', 'requests-sent', 70],
      [600, 'a', 'requests-allowed', 10],
      [600, 'b', 'requests-allowed', 68],
      [600, 'c', 'requests-allowed', 10],
      [610, 'a', 'count-local', 10],
      [610, 'b', 'count-local', 68],
      [610, 'c', 'count-local', 10],
      [620, 'shelf', 'count-stored', 0],
    ],
    anomaly: /A replica does not enforce the limit/,
    component: 'b',
    confidence: 'high',
  },
  {
    name: 'writes hang, and every replica lets everybody through without counting',
    rows: [
      ...usual,
      ...stalled,
      ...['a', 'b', 'c'].flatMap((replica): Row[] => [
        [500, replica, 'requests-sent', 38],
        [600, replica, 'requests-allowed', 38],
        [610, replica, 'count-local', 0],
      ]),
      [620, 'shelf', 'count-stored', 0],
    ],
    anomaly: /let requests through uncounted/,
    component: 'shelf',
    confidence: 'high',
  },
  {
    name: 'writes hang, and every replica lets everybody through and counts it',
    rows: [
      ...usual,
      ...stalled,
      ...['a', 'b', 'c'].flatMap((replica): Row[] => [
        [500, replica, 'requests-sent', 38],
        [600, replica, 'requests-allowed', 38],
        [610, replica, 'count-local', 38],
      ]),
      [620, 'shelf', 'count-stored', 0],
    ],
    anomaly: /^Replicas go beyond the limit while the store stalls/,
    component: 'shelf',
    confidence: 'high',
  },
  {
    name: 'a burst faster than the exchange of counts',
    rows: [...usual, ...burst],
    anomaly: /simultaneous/,
    component: 'a, b, c',
    confidence: 'high',
  },
  {
    name: 'more than the limit although the store knew early',
    rows: [
      ...usual,
      [0, 'a', 'requests-sent', 1],
      [5, 'a', 'requests-allowed', 8],
      [20, 'shelf', 'count-stored', 10],
      [2000, 'b', 'requests-sent', 9],
      [2005, 'b', 'requests-allowed', 8],
    ],
    anomaly: /Over-admission over several/,
    component: 'a, b',
    confidence: 'low',
  },
  {
    name: 'neither reads nor writes answer',
    rows: [
      ...usual,
      [150, 'shelf', 'write-outstanding', 150],
      [1000, 'shelf', 'unreachable', 1000],
      ...countedAlone,
    ],
    anomaly: /unreachable/,
    component: 'shelf',
    confidence: 'high',
  },
  {
    name: 'one replica passes the limit alone',
    rows: [
      ...usual,
      [0, 'a', 'requests-sent', 30],
      [10, 'a', 'requests-allowed', 25],
      [10, 'b', 'requests-sent', 5],
      [20, 'b', 'requests-allowed', 5],
    ],
    anomaly: /does not enforce/,
    component: 'a',
    confidence: 'high',
  },
  {
    name: 'one replica is silent',
    rows: [
      ...usual,
      [0, 'a', 'requests-sent', 3],
      [0, 'b', 'requests-sent', 3],
      [5, 'b', 'requests-allowed', 3],
      [1000, 'a', 'requests-unanswered', 3],
    ],
    anomaly: /replica does not answer/,
    component: 'a',
    confidence: 'medium',
  },
  {
    name: 'all is well',
    rows: usual,
    anomaly: /Nothing conclusive/,
    component: 'unknown',
    confidence: 'low',
  },
];

describe('explain', () => {
  it.each(cases)('$name', ({ rows, anomaly, component, confidence }) => {
    const diagnosis = explain(request(rows));
    expect(diagnosis.anomaly).toMatch(anomaly);
    expect(diagnosis).toMatchObject({ component, confidence, provider: 'rules', scenario: 'x' });
    expect(diagnosis.evidence.some((line) => line.startsWith('Against: '))).toBe(true);
  });

  it('cites the observations it rests on and says what speaks against the others', () => {
    const { evidence } = explain(request([...usual, ...stalled, ...countedAlone]));
    expect(evidence).toContain('+0.15 s shelf: a write has been unanswered for 150 ms');
    expect(evidence).toContain('+0.16 s shelf: a read was answered within 2.0 ms');
    const times = evidence.flatMap((line) => (/^[+-][\d.]+/.test(line) ? [Number.parseFloat(line)] : []));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.length).toBeGreaterThan(4);
    expect(evidence.filter((line) => line.startsWith('Against: ')).join('\n')).toMatch(
      /unreachable[^]*one replica ignoring[^]*simultaneous[^]*silent replica/,
    );
  });

  it('goes by what happened first: requests before the stall are not explained by it', () => {
    const late = stalled.map(([at, ...rest]): Row => [at + 5000, ...rest]);
    expect(explain(request([...usual, ...burst, ...late])).anomaly).toMatch(/simultaneous/);
    const burstLater = burst.map(([at, ...rest]): Row => [at + 5000, ...rest]);
    const stalledThenBurst = explain(request([...usual, ...stalled, ...countedAlone, ...burstLater]));
    expect(stalledThenBurst.anomaly).toMatch(/drift/);
    expect(stalledThenBurst.evidence.join('\n')).toMatch(/Not first: Over-admission/);
  });

  it('takes no slow write for a stall: only one far beyond the usual', () => {
    const slow: Row[] = [
      [-900, 'shelf', 'write-latency', 40],
      [150, 'shelf', 'write-outstanding', 150],
      [160, 'shelf', 'read-latency', 2],
    ];
    expect(explain(request([...usual.slice(1), ...slow])).anomaly).toBe('Nothing conclusive');
  });

  it('is less sure of a stall when no read was seen to answer', () => {
    const rows = [...usual, ...stalled.slice(0, 1), ...countedAlone];
    expect(explain(request(rows))).toMatchObject({ confidence: 'medium', component: 'shelf' });
  });

  it('says "at least" where every request was allowed', () => {
    expect(explain(request([...usual, ...burst])).summary).toMatch(/at least/);
  });

  it('does not depend on the order of the observations or on names', { timeout: 300_000 }, () => {
    const names = ['node-1', 'x', 'zz', 'a', 'shelf', 'redis', 'sender', 'b', 'q'];
    fc.assert(
      fc.property(
        fc.constantFrom(...cases),
        fc.shuffledSubarray(names, { minLength: 5, maxLength: 5 }),
        fc.infiniteStream(fc.nat()),
        ({ rows, anomaly, confidence, component }, chosen, order) => {
          const renamed = new Map(components.map(({ name }, i) => [name, chosen[i] ?? name]));
          const parts = components.map(({ name, role }) => ({ name: renamed.get(name) ?? name, role }));
          // Only observations of different moments change places: the same moment has no order to keep.
          const shuffled = rows
            .map((row, i) => ({ row, i, key: order.next().value ?? 0 }))
            .sort((a, b) => (a.row[0] === b.row[0] ? a.i - b.i : a.key - b.key))
            .map(({ row: [at, name, signal, value] }): Row => [at, renamed.get(name) ?? name, signal, value]);
          const diagnosis = explain(request(shuffled, parts));
          expect(diagnosis.anomaly).toMatch(anomaly);
          expect(diagnosis.confidence).toBe(confidence);
          const expected = component.split(', ').map((name) => renamed.get(name) ?? name);
          expect(diagnosis.component.split(', ').sort()).toEqual(expected.sort());
        },
      ),
    );
  });

  it('fits the status for any observations', { timeout: 300_000 }, () => {
    const row: fc.Arbitrary<Row> = fc.tuple(
      fc.integer({ min: -1e6, max: 1e6 }),
      fc.constantFrom('a', 'b', 'c', 'shelf', 'sender', 'stranger'),
      fc.constantFrom(...(Object.keys(SIGNALS) as Signal[])),
      fc.nat(1e6),
    );
    const schema = statusSchema.shape.diagnoses.unwrap();
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), (rows) => {
        const diagnosis = explain({ scenario: 's'.repeat(40), bundle: bundle(rows, components) });
        expect(schema.safeParse([diagnosis]).success).toBe(true);
        expect(diagnosis.evidence.length).toBeLessThanOrEqual(LIMITS.evidenceItems);
      }),
    );
  });
});

it('blames no configuration of a single replica that lets everybody through while writes hang', () => {
  const alone = [components[0], components[3], components[4]].flatMap((part) => part ?? []);
  const rows: Row[] = [
    ...usual,
    ...stalled,
    [500, 'a', 'requests-sent', 100],
    [600, 'a', 'requests-allowed', 100],
    [620, 'shelf', 'count-stored', 0],
  ];
  const known = rows.filter(([, component]) => component !== 'b' && component !== 'c');
  const { anomaly, evidence, summary } = explain(request(known, alone));
  expect(anomaly).toBe('Replicas let requests through uncounted');
  expect(summary).toMatch(
    /^shelf stopped taking writes, and its only replica allowed more than the limit of 10: /,
  );
  expect(evidence).toContain('Against: one replica ignoring the limit - it passed it only once writes hung');
});
