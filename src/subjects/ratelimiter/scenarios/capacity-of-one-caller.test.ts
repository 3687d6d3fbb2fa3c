import { describe, expect, it } from 'vitest';
import { expectRefusal } from '../../../../test/fixtures/subjects/targets/refusal.ts';
import { type ChaosDemoSpec, specSchema } from '../../../api/index.ts';
import { requireCapacity } from '../../scenarios/capacity.ts';
import { rateLimiterApi, rateLimiterKind } from '../kind.ts';

function spec(limit: object, change: object = {}): ChaosDemoSpec {
  return specSchema([rateLimiterApi]).parse({
    rateLimiter: {
      selector: { matchLabels: { app: 'x' } },
      redis: { serviceName: 'redis' },
      http: { identity: 'SourceAddress', path: '/' },
      limit: { requests: 30, windowStart: 'FirstRequest', ...limit },
    },
    scenarios: [{ name: 'o', type: 'StoreOutage' }],
    ...change,
  });
}

const ghosts = (trials: number) => [{ name: 'g', type: 'GhostAllowing', ghostAllowing: { trials } }];

const admitted = (made: ChaosDemoSpec) => () => requireCapacity(rateLimiterKind, made, { pods: 3 });

describe('a run that rests until its one limit is whole again', () => {
  it('is rejected with its cool-downs in numbers if it does not', () => {
    expectRefusal(admitted(spec({ window: '200s' })), 'UnprovableSpec');
    expect(admitted(spec({ window: '200s' }, { activeDeadline: '15m' }))).not.toThrow();
  });

  it('advises fewer pods only if there are several', () => {
    const small = spec({ requests: 5, window: '60s' });
    expect(() => requireCapacity(rateLimiterKind, small, { pods: 1 })).toThrow(/6 in all.* at once: give /);
    expect(admitted(small)).toThrow(/18 in all.* select fewer pods, or give /);
  });

  it('has only as many trials as their rests leave room for in one fault', () => {
    expect(admitted(spec({ window: '50s' }, { scenarios: ghosts(3) }))).not.toThrow();
    expectRefusal(admitted(spec({ window: '60s' }, { scenarios: ghosts(3) })), 'UnprovableSpec');
    expectRefusal(admitted(spec({ window: '2m' }, { scenarios: ghosts(2) })), 'UnprovableSpec');
    expect(admitted(spec({ window: '2m' }, { scenarios: ghosts(1) }))).not.toThrow();
  });
});
