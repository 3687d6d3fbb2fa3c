/** A bug in code that judges or draws a fault, over a real Redis: the fault is reported, and happens once. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { InvariantReading } from '../../src/engine/observed.ts';
import type { HistoryEvent } from '../../src/subjects/ratelimiter/history/events.ts';
import { History } from '../../src/subjects/ratelimiter/history/history.ts';
import { REDIS_ACL } from '../../src/subjects/ratelimiter/index.ts';
import { DrivenLimiter, limiterSpec } from '../kit/driven-limiter.ts';
import { NodesOnRedis, userLine } from '../kit/nodes-on-redis.ts';
import { keepingTime } from '../kit/pace.ts';
import { until } from '../kit/until.ts';

const FAULT_MS = 2000;

const spec = limiterSpec({ limit: { requests: 10, window: '60s' } }, [
  {
    name: 'drift',
    type: 'CounterDrift',
    counterDrift: { fault: { duration: '2s' }, requestsPerSecond: 60, settle: '1s' },
  },
  { name: 'burst', type: 'GhostAllowing', ghostAllowing: { trials: 2 } },
]);

let ground: NodesOnRedis;
beforeAll(async () => {
  ground = await NodesOnRedis.start(['approximate'], [userLine('operator', REDIS_ACL)]);
});
afterAll(() => ground?.stop());

/** From now on each listener of a new history throws at its first event of this kind, once it has taken it. */
function plantBug(kind: HistoryEvent['kind']): void {
  const { listen } = History.prototype;
  const spy = vi.spyOn(History.prototype, 'listen').mockImplementation(function (this: History, listener) {
    listen.call(this, (event) => {
      listener(event);
      if (event.kind === kind) throw new TypeError(`a bug at ${kind}`);
    });
  });
  onTestFinished(() => spy.mockRestore());
}

const calls = async (command: string): Promise<number> =>
  Number(
    new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await ground.observer.info('commandstats'))?.[1] ?? 0,
  );

let runs = 0;
function driverOf(): { driver: DrivenLimiter; key: string } {
  const driver = new DrivenLimiter({ pods: ground.nodes(), redis: ground.target('operator'), spec });
  onTestFinished(() => driver.close());
  return { driver, key: `demo-bug-${process.pid}-${(runs += 1)}` };
}

function readingAfterBug(driver: DrivenLimiter): InvariantReading | undefined {
  const reading = driver.observed.readings['f'];
  return reading?.shortfalls.some((text) => text.includes('a bug at')) ? reading : undefined;
}

describe('a listener of the history that throws', () => {
  it.for(['fault', 'probe', 'request', 'count'] as const)(
    'at an event %s: a stall stays reported, happens once, and ends Inconclusive',
    (kind, context) =>
      keepingTime(async () => {
        plantBug(kind);
        const { driver, key } = driverOf();
        await driver.prepare('drift', key);
        const before = await calls('client\\|pause');
        const about = { fault: 'f', scenario: 'drift', fixture: key };
        driver.converge([{ kind: 'Watch', ...about }]);
        const report = await driver.inject('drift', key, FAULT_MS);
        expect(report).toMatchObject({ startedAt: expect.any(Number) });
        expect(report?.missed).toBeUndefined();
        driver.converge([
          { kind: 'Watch', ...about },
          { kind: 'Load', ...about },
        ]);
        await until(() => driver.observed.faults['f']?.endedAt, { what: 'the end of the stall' });
        const { shortfalls } = await until(() => readingAfterBug(driver), { what: 'a reading' });
        expect(shortfalls[0]).toContain(`a bug at ${kind}`);
        expect(await calls('client\\|pause')).toBe(before + 1);
        expect(await driver.recover('drift', key, 500)).toMatchObject({
          report: { workedAt: expect.any(Number) },
        });
      })(context),
  );

  it.for(['fault', 'request', 'burst'] as const)('at an event %s: a burst is sent once', (kind, context) =>
    keepingTime(async () => {
      plantBug(kind);
      const { driver, key } = driverOf();
      await driver.prepare('burst', key);
      driver.converge([{ kind: 'Watch', fault: 'f', scenario: 'burst', fixture: key }]);
      const report = await driver.inject('burst', key, FAULT_MS);
      expect(report?.missed).toBeUndefined();
      const { shortfalls } = await until(() => readingAfterBug(driver), { what: 'a reading' });
      expect(shortfalls[0]).toContain(`a bug at ${kind}`);
    })(context),
  );
});
