import { expect, it } from 'vitest';
import { limiterSpec } from '../../../../../test/kit/driven-limiter.ts';
import { History } from '../../../history/history.ts';
import { HISTORY_VERSION } from '../../../history/setup.ts';
import { Judge } from '../../../scenarios/judge.ts';
import { rateLimiterOf } from '../../spec/schema.ts';
import { counterDrift } from './index.ts';

const T = 1_000_000;
const BASELINE = { writeP50Ms: 1, writeMaxMs: 1, denying: { limit: 10, sent: 20, admitted: 10 }, lag: 0 };

/** A judge of one pod that settles for a second, and takes samples with so many admissions that Redis never counts. */
function judged(baseline?: typeof BASELINE) {
  const spec = limiterSpec({}, [{ name: 's', type: 'CounterDrift', counterDrift: { settle: '1s' } }]);
  const [scenario] = spec.scenarios;
  if (!scenario) throw new TypeError('there is no scenario');
  const history = new History({
    kind: 'setup',
    version: HISTORY_VERSION,
    scenario,
    limiter: rateLimiterOf(spec),
    pods: ['a'],
    fixture: 'demo-x',
    preparedAt: T,
    clockWithinMs: 0,
    usualWriteMs: 1,
    ...(baseline && { baseline }),
  });
  const judge = new Judge(history, counterDrift);
  return {
    history,
    judge,
    sample(at: number, admitted: number) {
      const counts = { admitted: { a: admitted }, stored: 0, elsewhere: [], problems: [], inFlight: {} };
      history.append({ kind: 'count', key: 'demo-x', readAt: at, endedAt: at, ...counts });
    },
    report: (times: { startedAt: number; endedAt?: number }) =>
      history.append({ kind: 'fault', step: 'Reported', message: '', evidence: [], ...times }),
  };
}

it('ends with the first sample once the time to settle is over', () => {
  const { judge, report, sample } = judged(BASELINE);
  report({ startedAt: T });
  sample(T + 500, 1);
  expect(judge.reading()?.complete).toBe(false);
  report({ startedAt: T, endedAt: T + 2000 });
  sample(T + 2999, 2);
  expect(judge.reading()?.complete).toBe(false);
  sample(T + 3000, 3);
  expect(judge.reading()?.complete).toBe(true);
  sample(T + 3100, 9);
  expect(judge.reading()).toMatchObject({ measures: { drift: 3 }, unit: 'requests' });
});

it('needs the lag and the control that were measured without a fault', () => {
  const missing = (baseline?: typeof BASELINE): number => {
    const found = judged(baseline).judge.reading()?.shortfalls ?? [];
    return found.filter((text) => / (control|lag) /.test(text)).length;
  };
  expect(missing()).toBe(2);
  expect(missing(BASELINE)).toBe(0);
});

it('under-counted requests were admitted and are not in Redis in the end', () => {
  const { history, judge } = judged(BASELINE);
  expect(judge.recovered()).toEqual({});
  const times = { sentAt: T, endedAt: T + 5 };
  for (let i = 0; i < 3; i += 1)
    history.request({ pod: 'a', caller: 'Steady', outcome: 'Admitted', ...times });
  history.append({ kind: 'rest', at: T + 3000, stored: 1 });
  expect(judge.recovered()).toEqual({ measures: { underCounted: 2 }, atLeast: ['underCounted'] });
});
