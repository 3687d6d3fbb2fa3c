import { setTimeout as sleep } from 'node:timers/promises';
import { REDIS_ACL } from '@chaosdemo/redis-faults';
import { EARLY_MS } from '@chaosdemo/redis-faults/events';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
/**
 * Fault types Refuse and StalePrimary on a real Redis behind a real fault proxy: what is found of limiters, also if the
 * proxy is restarted.
 */
import { accepts } from '../../src/local/address.ts';
import { permitAnd } from '../kit/driven-limiter.ts';
import { type RunningProxy, startFaultProxy } from '../kit/fault-proxy.ts';
import { rows } from '../kit/nightly.ts';
import { NodesOnRedis, userLine } from '../kit/nodes-on-redis.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import type { PlantedOptions } from '../kit/planted-pod.ts';
import { until } from '../kit/until.ts';
import {
  type Admits,
  countsTo,
  drivenPods,
  eventsOf,
  GIVES_UP,
  opensTo,
  WAITS,
} from './support/planted-pods.ts';

const LIMIT = 10;
const FAULT_MS = 4000;
/** With the settle time, the second after it and the timeout of a caller, in which connections stay stale. */
const STALE_MS = FAULT_MS + 2000 + 1000 + 1000;
const counts = countsTo(LIMIT);
const opens = opensTo(LIMIT);

/** Takes a new connection when it is answered READONLY, and sends the command again. */
const RECONNECTS = {
  ...WAITS,
  reconnectOnError: (error: Error) => (error.message.includes('READONLY') ? 2 : false),
} as const;

let ground: NodesOnRedis;
let proxy: RunningProxy;
beforeAll(async () => {
  ground = await NodesOnRedis.start(['approximate'], [userLine('operator', REDIS_ACL)]);
  proxy = await startFaultProxy(ground.redis);
});
afterAll(async () => {
  await proxy?.kill();
  await ground?.stop();
});
// Connections of earlier pods have ended.
beforeEach(async () => {
  await until(async () => ((await proxy.get('/connections'))['connections'] as unknown[]).length === 0, {
    what: 'the proxy to have no clients',
  });
});

type FaultType = 'Refuse' | 'StalePrimary';

const driven = async (type: FaultType, admits: Admits, options: PlantedOptions, ms = FAULT_MS) =>
  await drivenPods(ground, {
    admits,
    options,
    proxy,
    fault: { type, duration: `${ms}ms` },
    limit: LIMIT,
    user: 'operator',
  });

/** When the fault was to end: it may begin late on a busy machine. Milliseconds of the epoch. */
function plannedEnd(driver: Awaited<ReturnType<typeof driven>>['driver']): number {
  const planned = eventsOf(driver).find((event) => event.kind === 'fault' && event.step === 'Planned');
  return planned?.until ?? Infinity;
}

describe.skipIf(withoutRealTime)('a limiter whose Redis refuses connections', () => {
  const LIMITERS = [
    // In a Disconnect, where a server accepts connections, it fails closed.
    { does: 'Hangs', admits: counts, options: WAITS },
    { does: 'FailsClosed', admits: counts, options: GIVES_UP },
    { does: 'FailsOpen', admits: opens, options: GIVES_UP },
  ];
  it.for(rows(LIMITERS))('is found to do what it does: $does', ({ does, admits, options }, context) =>
    keepingTime(async () => {
      const { driver, key } = await driven('Refuse', admits, options);
      let acceptedDuring: Promise<boolean> | undefined;
      const permit = permitAnd(() => {
        acceptedDuring = sleep(FAULT_MS / 2).then(() => accepts(proxy));
      });
      const reading = await driver.leadThrough('outage', key, FAULT_MS, permit);
      const report = driver.observed.faults['f'];
      expect(report).toMatchObject({ proof: 'Confirmed', endedAt: expect.any(Number) });
      expect(reading).toMatchObject({ shortfalls: [], summary: expect.stringMatching(`^${does}`) });
      expect(await acceptedDuring).toBe(false);
      expect(report?.endedAt).toBeGreaterThan(plannedEnd(driver) - EARLY_MS);
      const ended = eventsOf(driver).findLast(
        (event) => event.kind === 'fault' && event.step === 'ConnectionsEnded',
      );
      expect(ended).toMatchObject({ connections: { 'api-0': 1, 'api-1': 1, 'api-2': 1 } });
      expect(await proxy.get('/fault')).toMatchObject({ fault: null });
    })(context),
  );
});

describe.skipIf(withoutRealTime)('a limiter whose connections are those of a former primary', () => {
  const LIMITERS = [
    { what: 'it reconnects', summary: /^Enforces$/, admits: counts, options: RECONNECTS },
    { what: 'it fails', summary: /^FailsClosed; no recovery in 2s$/, admits: counts, options: GIVES_UP },
    { what: 'it admits all', summary: /^FailsOpen; no recovery in 2s$/, admits: opens, options: GIVES_UP },
  ];
  it.for(rows(LIMITERS, 2))('is found to do what it does: $what', ({ admits, options, summary }, context) =>
    keepingTime(async () => {
      const { driver, key } = await driven('StalePrimary', admits, options);
      const reading = await driver.leadThrough('outage', key, STALE_MS);
      expect(reading.shortfalls).toEqual([]);
      expect(reading.summary).toMatch(summary);
      const report = await until(
        () => {
          const known = driver.observed.faults['f'];
          return known?.endedAt === undefined ? undefined : known;
        },
        { what: 'its end' },
      );
      expect(report.proof).toBe('Confirmed');
      // Callers had to recover while connections were stale.
      expect(report.endedAt).toBeGreaterThan(plannedEnd(driver) - EARLY_MS);
      expect(await proxy.get('/fault')).toMatchObject({ fault: null });
    })(context),
  );
});

describe.skipIf(withoutRealTime)('connections of a former primary', () => {
  it('show no recovery that is due to a restart of the proxy', (context) =>
    keepingTime(async () => {
      const { driver, key } = await driven('StalePrimary', counts, GIVES_UP);
      const led = driver.leadThrough('outage', key, STALE_MS);
      const isJudged = (): boolean =>
        eventsOf(driver).some((event) => event.kind === 'fault' && 'endedAt' in event);
      await until(isJudged, { what: 'the end that callers are judged by' });
      expect(driver.observed.faults['f']?.endedAt).toBeUndefined();
      await proxy.kill();
      await proxy.start();
      const { detectedAt, shortfalls } = await led;
      expect(driver.observed.faults['f']).toMatchObject({ proof: 'Confirmed' });
      expect(detectedAt).toBeUndefined();
      expect(shortfalls).toContainEqual(expect.stringContaining('was still active is not known'));
    })(context));
});
