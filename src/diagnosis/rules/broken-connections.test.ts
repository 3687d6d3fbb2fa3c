import { describe, expect, it } from 'vitest';
import { bundleOf, type Part, type Points } from '../../../test/fixtures/diagnosis/bundle.ts';
import { explain } from './index.ts';

const REPLICAS = ['replica-1', 'replica-2', 'replica-3'] as const;
const END_MS = 4000;

function every(from: number, to: number, everyMs: number, value: (at: number) => number): Points {
  return Array.from({ length: Math.floor((to - from) / everyMs) + 1 }, (_, i) => {
    const at = from + i * everyMs;
    return [at, value(at)] as const;
  });
}

/** A store that takes no writes from 0 to 4 s, and answers reads. */
const stall: Part[] = [
  ['store', 'read-latency', every(-1000, 6000, 250, () => 1)],
  [
    'store',
    'write-latency',
    [
      [-1000, 1],
      [-500, 1],
      [END_MS, END_MS],
      [4250, 1],
      [6000, 1],
    ],
  ],
  ['store', 'write-outstanding', every(250, 3750, 250, (at) => at)],
];

/** So many new connections a second from `from` to `to`, and `usual` a second otherwise. */
function connections(perSecond: number, { from = 0, to = END_MS, usual = 0 } = {}): Part {
  const made = (at: number): number =>
    Math.floor(
      ((at + 1000) / 1000) * usual + (Math.max(0, Math.min(at, to) - from) / 1000) * (perSecond - usual),
    );
  return ['store', 'connections-made', every(-1000, 6000, 500, made)];
}

const answers = (ms: number): Part[] =>
  REPLICAS.map((replica) => [replica, 'request-latency', every(-1000 + ms, 6000, 100, () => ms)]);

/** Requests of each replica that are given up a second after they were sent, from 0 on. */
const timeouts: Part[] = REPLICAS.map((replica) => [
  replica,
  'requests-timeouts',
  every(1000, 4900, 100, (at) => (at - 900) / 100),
]);

const classOf = (...parts: readonly (Part | readonly Part[])[]): string => {
  const flat = parts.flatMap((part) => (typeof part[0] === 'string' ? [part as Part] : (part as Part[])));
  return explain(bundleOf({ parts: flat })).anomaly;
};

describe('connections that end soon after they are made', () => {
  it('are found if replicas answer at once, with stalled writes as an alternative', () => {
    const answer = explain(bundleOf({ parts: [...stall, connections(50), ...answers(10)] }));
    expect(answer).toMatchObject({
      anomaly: 'store-connections-broken',
      component: 'store',
      action: 'wait',
      alternatives: [{ anomaly: 'store-writes-stalled', component: 'store' }],
    });
  });

  it('are not found if replicas answer late: they may have given the connections up', () => {
    expect(classOf(stall, connections(130), answers(205))).toBe('store-writes-stalled');
  });

  it('are found without answers if they were made before a request was given up', () => {
    expect(classOf(stall, connections(50), timeouts)).toBe('store-connections-broken');
    expect(classOf(stall, connections(50, { from: 1000 }), timeouts)).toBe('store-writes-stalled');
  });

  it.each([
    ['as many are made all along', connections(50, { usual: 40 })],
    ['few are made', connections(4)],
    ['they are made at one moment', connections(200, { from: 500, to: 1000 })],
    ['they were not counted', []],
  ] as const)('are not found if %s', (_, made) => {
    expect(classOf(stall, made as Part, answers(10))).toBe('store-writes-stalled');
  });

  it('are found if the store takes writes as well', () => {
    const well: Part[] = [
      ['store', 'read-latency', every(-1000, 6000, 250, () => 1)],
      ['store', 'write-latency', every(-1000, 6000, 250, () => 1)],
    ];
    expect(classOf(well, connections(50), answers(10))).toBe('store-connections-broken');
    expect(classOf(well, connections(0), answers(10))).toBe('none');
  });
});
