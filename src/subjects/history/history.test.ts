import { expect, it } from 'vitest';
import { memoryOf } from '../../../test/fixtures/subjects/http/memory.ts';
import { outageSetup } from '../../../test/fixtures/subjects/ratelimiter/simulated-outage.ts';
import type { EventOf } from './events.ts';
import { History } from './history.ts';

it('takes memory as it grows, drops events without it, and gives it back', () => {
  const memory = memoryOf(Number.POSITIVE_INFINITY);
  const history = new History(outageSetup(), memory);
  const request = {
    pod: 'a',
    caller: 'Drawn',
    key: 'k',
    sentAt: 1,
    endedAt: 2,
    outcome: 'Admitted',
  } as const;
  history.request(request);
  memory.most = memory.taken;
  for (let i = 0; i < 1004; i += 1) history.request(request);
  // Steps of the fault are few, and nothing is judged without them.
  history.append({ kind: 'health', at: 1, pods: {}, connected: true });
  expect([history.requests.length, history.events.length, history.dropped]).toEqual([1000, 1001, 5]);
  history.release();
  history.request(request);
  history.release();
  expect([memory.taken, history.requests.length]).toEqual([0, 1000]);
});

it('presumes the planned time of a fault that was reported without a start', () => {
  const history = new History(outageSetup());
  const report: EventOf<'fault'> = { kind: 'fault', step: 'Reported', message: '', evidence: [] };
  history.append({ kind: 'fault', step: 'Planned', at: 1000, until: 6000 });
  expect(history.times.presumed).toBeUndefined();
  history.append({ ...report, proof: 'Inconclusive' });
  expect(history.times).toMatchObject({ until: 6000, presumed: { startedAt: 1000, endedAt: 6000 } });
  expect(history.times.startedAt).toBeUndefined();
  history.append({ ...report, startedAt: 1200 });
  history.append({ ...report, endedAt: 6100 });
  expect(history.times).toMatchObject({ startedAt: 1200, endedAt: 6100, presumed: undefined });
});
