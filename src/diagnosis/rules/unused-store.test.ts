import { describe, expect, it } from 'vitest';
import { bundleOf, type Part, type Points } from '../../../test/fixtures/diagnosis/bundle.ts';
import { explain } from './index.ts';

const REPLICAS = ['replica-1', 'replica-2', 'replica-3'] as const;
const LIMIT = 10;
/** The connections fail from 0 to here. */
const END_MS = 4000;

/** A running total that grows by one every 100 ms between some moments. */
function growing(...spans: readonly (readonly [from: number, to: number])[]): Points {
  const moments = spans.flatMap(([from, to]) =>
    Array.from({ length: Math.floor((to - from) / 100) }, (_, i) => from + i * 100),
  );
  return moments.map((at, i) => [at, i + 1] as const);
}

const store = (latencyMs: number): Part[] =>
  (['read-latency', 'write-latency'] as const).map(
    (signal): Part => [
      'store',
      signal,
      Array.from({ length: 15 }, (_, i) => [-1000 + i * 500 + latencyMs, latencyMs] as const),
    ],
  );
const limit: Part = ['client', 'limit', [[-1000, LIMIT]]];
const sent = (replica: string): Part => [replica, 'requests-sent', growing([-1000, 6000])];
/** What a replica does whose connections fail: nothing is rejected from `from` on. */
const instead = (
  replica: string,
  signal: 'requests-errors' | 'requests-timeouts' | 'requests-admitted',
  from = 0,
): Part[] => [
  sent(replica),
  [replica, 'requests-rejected', growing([-1000, from], [END_MS, 6000])],
  [replica, signal, growing([from, END_MS])],
];
/** What it does otherwise. */
const rejecting = (replica: string): Part[] => [
  sent(replica),
  [replica, 'requests-rejected', growing([-1000, 6000])],
];

const classOf = (...parts: readonly (readonly Part[])[]): string =>
  explain(bundleOf({ parts: [limit, ...parts.flat()] })).anomaly;

describe('replicas that all stop using a store which serves others', () => {
  it.each(['requests-errors', 'requests-timeouts', 'requests-admitted'] as const)(
    'have lost their connections: %s',
    (signal) => {
      const parts = [limit, ...store(1), ...REPLICAS.flatMap((replica) => instead(replica, signal))];
      expect(explain(bundleOf({ parts }))).toMatchObject({
        anomaly: 'store-connections-broken',
        component: 'store',
        action: 'wait',
      });
    },
  );

  it('have lost their connections, too, if some fail and others do not answer', () => {
    const [first, ...others] = REPLICAS;
    expect(
      classOf(
        store(1),
        instead(first, 'requests-errors', 500),
        others.flatMap((replica) => instead(replica, 'requests-timeouts')),
      ),
    ).toBe('store-connections-broken');
  });

  const failing = (replica: string): Part[] => instead(replica, 'requests-errors');
  it.each([
    ['one of them goes on', [store(1), REPLICAS.slice(1).flatMap(failing), rejecting('replica-1')]],
    [
      'they stop at different moments',
      [store(1), REPLICAS.slice(1).flatMap(failing), instead('replica-1', 'requests-errors', 2000)],
    ],
    ['the store is as slow', [store(250), REPLICAS.flatMap(failing)]],
    ['no other client used the store', [REPLICAS.flatMap(failing)]],
    [
      'one of them was not reached',
      [store(1), REPLICAS.flatMap(failing), [['replica-2', 'unreachable', [[1000, 900]]] as Part]],
    ],
    [
      'they never rejected a request',
      [
        store(1),
        REPLICAS.flatMap((replica): Part[] => [
          sent(replica),
          [replica, 'requests-admitted', growing([-1000, 6000])],
        ]),
      ],
    ],
  ] as const)('are not found if %s', (_, parts) => {
    expect(classOf(...parts)).not.toBe('store-connections-broken');
  });

  it('are not found if a new window admits what the limit permits', () => {
    const parts = REPLICAS.flatMap((replica): Part[] => [
      sent(replica),
      [replica, 'requests-rejected', growing([-1000, 0], [1100, 6000])],
      [replica, 'requests-admitted', growing([0, 300])],
    ]);
    expect(classOf(store(1), parts)).not.toBe('store-connections-broken');
  });
});
