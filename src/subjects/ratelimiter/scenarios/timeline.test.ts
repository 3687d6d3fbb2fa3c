import { describe, expect, it } from 'vitest';
import { leaksOf } from '../../../../test/kit/leaks.ts';
import { UNREACHABLE } from '../../../engine/health.ts';
import {
  type EvidenceBundle,
  evidenceBundle,
  relativeToFirst,
  type Signal,
} from '../../../evidence/index.ts';
import type { EventOf } from '../../history/events.ts';
import { Timeline } from '../../scenarios/timeline.ts';

const T = 1_000_000;
const timeline = (...names: string[]) => new Timeline({ pods: names, redis: ['redis-0'], preparedAt: T });

const points = ({ series }: EvidenceBundle, component: string, signal: Signal) =>
  series.find((one) => one.component === component && one.signal === signal)?.points;
const events = ({ events }: EvidenceBundle) =>
  events.map(({ atMs, component, text }) => `${atMs} ${component}: ${text}`);

function sample(at: number, admitted: Record<string, number>, stored: number): EventOf<'count'> {
  const counts = { admitted, stored, elsewhere: [], problems: ['x'], inFlight: {} };
  return { kind: 'count', key: 'k', readAt: at, endedAt: at + 5, ...counts };
}

describe('a timeline', () => {
  it('names pods by role and order, and gives nothing away', () => {
    const seen = timeline('limiter-a', 'limiter-b');
    seen.show(sample(T, { 'limiter-a': 1, 'limiter-b': 2 }, 3));
    seen.show({ kind: 'gone', at: T + 1, pods: ['limiter-b'] });
    seen.show({ kind: 'probe', state: 'Lost', at: T + 2 });
    seen.show({ kind: 'probe', state: 'Restarted', at: T + 3 });
    seen.show({ kind: 'restarted', at: T + 4, pods: ['limiter-a', 'limiter-z'] });
    const bundle = seen.evidence({ startedAt: T }).bundle;
    expect(leaksOf(relativeToFirst(bundle), ['limiter-a', 'limiter-b', 'redis-0'])).toEqual([]);
    expect(evidenceBundle.parse(bundle)).toEqual(bundle);
    expect(seen.evidence({}).pods).toEqual([
      { component: 'replica-1', pod: 'limiter-a' },
      { component: 'replica-2', pod: 'limiter-b' },
      { component: 'store', pod: 'redis-0' },
    ]);
    expect(events(bundle)).toEqual([
      '1 replica-2: it was deleted',
      expect.stringMatching(/^2 store: .*lost, with a write/),
      expect.stringMatching(/^3 store: .*restarted$/),
      expect.stringMatching(/^4 replica-1: .*restarted$/),
    ]);
  });

  it('shows connections of the store that were made and that ended, not why', () => {
    const seen = timeline('limiter-a');
    seen.show({ kind: 'probe', state: 'Connections', at: T, made: 0, open: 24 });
    seen.show({ kind: 'probe', state: 'Connections', at: T + 250, made: 12, open: 25 });
    seen.show({ kind: 'fault', step: 'ConnectionsEnded', at: T + 260, connections: { 'limiter-a': 11 } });
    const { bundle } = seen.evidence({ startedAt: T });
    expect(points(bundle, 'store', 'connections-made')).toEqual([
      [0, 0],
      [250, 12],
    ]);
    expect(points(bundle, 'store', 'connections-ended')?.at(-1)).toEqual([250, 11]);
    expect(bundle.events).toEqual([]);
  });

  it('a timeline shows a pod without a connection as unanswered, and since when', () => {
    const seen = timeline('a', 'b');
    const showRequest = (node: string, sentAt: number, unheard: boolean): void =>
      seen.show({
        kind: 'request',
        id: 0,
        pod: node,
        caller: 'Drawn',
        sentAt,
        endedAt: sentAt + 1,
        ...(unheard ? { outcome: 'Error', cause: 'Reset' } : { outcome: 'Admitted' }),
      });
    // One that breaks a connection in two is there.
    for (let i = 0; i < 20; i += 1) showRequest('a', T + 100 * i, i % 2 === 1);
    showRequest('b', T, false);
    for (let i = 40; i < 60; i += 1) showRequest('b', T + 100 * i, true);
    showRequest('b', T + 6000, false);
    const bundle = seen.evidence({ startedAt: T }).bundle;
    expect(points(bundle, 'replica-1', 'unreachable')).toBeUndefined();
    const silent = points(bundle, 'replica-2', 'unreachable') ?? [];
    expect(silent[0]).toEqual([4501, 501]);
    expect(silent.at(-1)).toEqual([5901, 1901]);
    expect(events(bundle)).toEqual([
      expect.stringMatching(/^4501 replica-2: .*no answer$/),
      '6001 replica-2: it answers again',
    ]);
  });

  it('a timeline counts requests and answers by pod, with the one caller apart', () => {
    const seen = timeline('a', 'b');
    for (const [i, outcome] of (['Admitted', 'Rejected', 'Error', 'Timeout'] as const).entries()) {
      const at = T + 10 * i;
      seen.show({
        kind: 'request',
        id: 0,
        pod: 'a',
        caller: 'Drawn',

        sentAt: at,
        endedAt: at + 3,
        outcome,
      });
      const times = { sentAt: at, endedAt: at + 4 };
      seen.request({ pod: 'a', caller: 'Drawn', ...times, outcome: 'Admitted' }, 'others');
    }
    const bundle = seen.evidence({ startedAt: T }).bundle;
    const last = (signal: Signal) => points(bundle, 'replica-1', signal)?.at(-1)?.[1];
    expect(
      (['sent', 'admitted', 'rejected', 'errors', 'timeouts'] as const).map((what) =>
        last(`requests-${what}`),
      ),
    ).toEqual([4, 1, 1, 1, 1]);
    expect((['sent', 'admitted', 'rejected'] as const).map((what) => last(`others-${what}`))).toEqual([
      4,
      4,
      undefined,
    ]);
    expect(events(bundle)).toEqual([]);
  });

  it('reports when health changes, and nothing of what is well from the start', () => {
    const seen = timeline('a', 'b');
    for (const [at, state, connected] of [
      [0, 'ready', true],
      [1, UNREACHABLE, true],
      [2, UNREACHABLE, false],
      [3, 'ready', true],
    ] as const) {
      seen.show({ kind: 'health', at: T + at, pods: { a: 'ready', b: state }, connected });
    }
    expect(events(seen.evidence({ startedAt: T }).bundle)).toEqual([
      expect.stringMatching(/^1 replica-2: .*no proper answer$/),
      expect.stringMatching(/^2 store: not every replica /),
      expect.stringMatching(/^3 replica-2: .*passed$/),
      expect.stringMatching(/^3 store: every replica /),
    ]);
  });

  it('leaves out replicas beyond its bound, and reports how many', () => {
    const seen = timeline(...Array.from({ length: 70 }, (_, i) => `n${i}`));
    seen.show({
      kind: 'request',
      id: 0,
      pod: 'n69',
      caller: 'Drawn',

      sentAt: T,
      endedAt: T,
      outcome: 'Admitted',
    });
    const bundle = seen.evidence({ startedAt: T }).bundle;
    expect(evidenceBundle.safeParse(bundle).error).toBeUndefined();
    expect(bundle.series).toEqual([]);
    expect(events(bundle)).toEqual([expect.stringMatching(/^0 client: 6 replicas .*left out/)]);
  });
});
