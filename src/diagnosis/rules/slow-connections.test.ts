import { describe, expect, it } from 'vitest';
import { bundleOf, type Part, type Points } from '../../../test/fixtures/diagnosis/bundle.ts';
import { explain } from './index.ts';

const REPLICAS = ['replica-1', 'replica-2', 'replica-3'] as const;
const END_MS = 4000;

/** A sample every 100 ms, at which the answer came. */
function samples(latency: (sentAt: number) => number): Points {
  return Array.from({ length: 70 }, (_, i) => -1000 + i * 100).map((at) => [at + latency(at), latency(at)]);
}
const during = (ms: number, from = 0) =>
  samples((at) => (at >= from && at < END_MS ? ms + ((at / 100) % 3) : 4));
const answers = (of: (replica: string) => Points): Part[] =>
  REPLICAS.map((replica) => [replica, 'request-latency', of(replica)]);
const store = (of: Points): Part[] => [
  ['store', 'read-latency', of],
  ['store', 'write-latency', of],
];
const QUICK = samples(() => 1);

const classOf = (...parts: readonly Part[][]): string => explain(bundleOf({ parts: parts.flat() })).anomaly;

describe('replicas that all become slow while the store is quick', () => {
  it.each([60, 300])('have a slow way to the store: %i ms', (ms) => {
    const parts = [...store(QUICK), ...answers(() => during(ms))];
    expect(explain(bundleOf({ parts }))).toMatchObject({
      anomaly: 'store-slow',
      component: 'store',
      action: 'wait',
    });
  });

  it.each<[string, Part[][]]>([
    [
      'one of them is quick',
      [store(QUICK), answers((replica) => (replica === 'replica-1' ? QUICK : during(300)))],
    ],
    [
      'they become slow at different moments',
      [store(QUICK), answers((replica) => during(300, replica === 'replica-1' ? 1500 : 0))],
    ],
    [
      'one is far slower than the others',
      [store(QUICK), answers((replica) => during(replica === 'replica-1' ? 800 : 300))],
    ],
    [
      'they are slow now and then',
      [store(QUICK), answers(() => samples((at) => (at % 300 === 0 ? 300 : 4)))],
    ],
    [
      'they take any time',
      [store(QUICK), answers(() => samples((at) => (at < 0 ? 4 : 50 + ((at * 7) % 900))))],
    ],
    [
      'no other client used the store then',
      [store(QUICK.filter(([at]) => at < 0)), answers(() => during(300))],
    ],
    ['they are hardly slower', [store(QUICK), answers(() => during(25))]],
  ])('are not found if %s', (_, parts) => {
    expect(classOf(...parts)).not.toBe('store-slow');
  });
});
