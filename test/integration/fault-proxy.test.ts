import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
/**
 * Fault types Refuse and StalePrimary on a real Redis behind a real fault proxy: what is found of limiters, and the end of
 * each fault, also of a proxy that is killed.
 */
import { accepts } from '../../src/local/own-api.ts';
import { REDIS_ACL } from '../../src/subjects/ratelimiter/index.ts';
import { requireOwnClients } from '../../src/subjects/redis/admission/fault-proxy-clients.ts';
import { FaultProxyClient } from '../../src/subjects/redis/client/fault-proxy.ts';
import { type RunningProxy, startFaultProxy } from '../kit/fault-proxy.ts';
import { rows } from '../kit/nightly.ts';
import { NodesOnRedis, userLine } from '../kit/nodes-on-redis.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import type { PlantedOptions } from '../kit/planted-pod.ts';
import { until } from '../kit/until.ts';
import {
  ADDRESSES,
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
      const permit = {
        refusal: () => {
          acceptedDuring = sleep(FAULT_MS / 2).then(() => accepts(proxy));
          return undefined;
        },
      };
      const reading = await driver.leadThrough('outage', key, FAULT_MS, permit);
      const report = driver.observed.faults['f'];
      expect(report).toMatchObject({ proof: 'Confirmed', endedAt: expect.any(Number) });
      expect(reading.shortfalls).toEqual([]);
      expect(reading.summary).toMatch(new RegExp(`^${does}`));
      expect(await acceptedDuring).toBe(false);
      expect((report?.endedAt ?? 0) - (report?.startedAt ?? 0)).toBeGreaterThan(FAULT_MS - 250);
      const ended = eventsOf(driver).findLast(
        (event) => event.kind === 'fault' && event.step === 'ConnectionsEnded',
      );
      expect(ended).toMatchObject({ connections: { 'api-0': 1, 'api-1': 1, 'api-2': 1 } });
      expect(await proxy.get('/fault')).toMatchObject({ fault: null, connections: { reset: 3 } });
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
      const state = await proxy.get('/fault');
      // Those of the pods, and that of the operator's probe.
      expect(state).toMatchObject({ connections: { stale: 4 } });
      const report = await until(
        () => {
          const known = driver.observed.faults['f'];
          return known?.endedAt === undefined ? undefined : known;
        },
        { what: 'its end' },
      );
      expect(report.proof).toBe('Confirmed');
      // Callers had to recover while connections were stale.
      expect((report.endedAt ?? 0) - (report.startedAt ?? 0)).toBeGreaterThan(STALE_MS - 1000);
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

describe.skipIf(withoutRealTime)('a fault of the proxy', () => {
  const LONG_MS = 20_000;

  /** A driver whose Refuse is active and proven. */
  async function active(ms = LONG_MS) {
    const run = await driven('Refuse', counts, GIVES_UP, ms);
    await run.driver.prepare('outage', run.key);
    expect(await run.driver.inject('outage', run.key, ms)).toMatchObject({ proof: 'Confirmed' });
    return run;
  }

  it('ends with its release', (context) =>
    keepingTime(async () => {
      const { driver } = await active();
      const effect = { kind: 'Restore' as const, id: 'r', fixtures: [], release: true };
      expect(await driver.perform(effect)).toMatchObject({ restored: { faultOver: true, ok: true } });
      expect(await accepts(proxy)).toBe(true);
      await until(() => driver.observed.faults['f']?.endedAt, { what: 'the end to be seen' });
      expect(driver.observed.faults['f']).toMatchObject({ proof: 'Inconclusive' });
    })(context));

  it('ends by its own timer once the driver is gone, and is known to a successor', (context) =>
    keepingTime(async () => {
      const ms = 3000;
      const { driver, key } = await driven('Refuse', counts, GIVES_UP, ms);
      await driver.prepare('outage', key);
      const { marker = '' } = driver.observed.prepared['f'] ?? {};
      const successor = await driven('Refuse', counts, GIVES_UP, ms);
      const inquiry = { kind: 'Inquire' as const, id: 'i', fault: 'f', scenario: 'outage', marker };
      expect(await successor.driver.perform(inquiry)).toMatchObject({ orphan: 'NotInjected' });
      // The successor is in charge now: what the first one sends is too late.
      expect(await driver.inject('outage', key, ms)).toMatchObject({ missed: true });
      expect(await accepts(proxy)).toBe(true);
      await successor.driver.prepare('outage', successor.key);
      const again = { ...inquiry, marker: successor.driver.observed.prepared['f']?.marker ?? '' };
      await successor.driver.inject('outage', successor.key, ms);
      await successor.driver.close();
      expect(await driver.perform(again)).toMatchObject({ orphan: 'Injected' });
      expect(await accepts(proxy)).toBe(false);
      await until(() => accepts(proxy), { what: 'connections to be accepted' });
    })(context));

  it('is Inconclusive if the proxy is killed and started again', (context) =>
    keepingTime(async () => {
      const { driver } = await active();
      const before = await proxy.get('/fault');
      await proxy.kill();
      expect(await accepts(proxy)).toBe(false);
      await proxy.start();
      expect(await accepts(proxy)).toBe(true);
      const state = await proxy.get('/fault');
      expect(state).toMatchObject({ fault: null, faults: 0 });
      expect(state['instance']).not.toBe(before['instance']);
      await until(() => driver.observed.faults['f']?.endedAt, { what: 'the end to be seen' });
      expect(driver.observed.faults['f']).toMatchObject({
        proof: 'Inconclusive',
        message: expect.stringContaining('was restarted'),
      });
    })(context));

  it('is not announced while another is active, or pods connect directly', async () => {
    const other = new FaultProxyClient(proxy.target);
    await other.takeCharge();
    // Of no pod: none is connected yet.
    await other.begin('StalePrimary', 60_000);
    const run = await driven('Refuse', counts, GIVES_UP);
    await expect(run.driver.prepare('outage', run.key)).rejects.toThrow(
      /StalePrimary active for \d+ ms more/,
    );
    await other.release();
    other.close();
    const direct = await drivenPods(ground, {
      admits: counts,
      options: GIVES_UP,
      proxy,
      isDirect: true,
      fault: { type: 'Refuse', duration: '4s' },
      limit: LIMIT,
    });
    await expect(direct.driver.prepare('outage', direct.key)).rejects.toThrow(/lists connections from api-0/);
    expect(await proxy.get('/fault')).toMatchObject({ fault: null });
  });

  it('is not announced if the token is another, or other clients use the proxy', async () => {
    const addresses = ADDRESSES.slice(0, 1);
    const strict = { allowOtherClients: false };
    await expect(
      requireOwnClients({ ...proxy.target, token: 'x'.repeat(20) }, addresses, strict),
    ).rejects.toThrow(expect.objectContaining({ reason: 'RedisAuthInvalid' }));
    await requireOwnClients(proxy.target, addresses, strict);
    const stranger = connect({ port: proxy.port, host: proxy.host, localAddress: '127.0.0.69' });
    await once(stranger, 'connect');
    await expect(requireOwnClients(proxy.target, addresses, strict)).rejects.toThrow(
      expect.objectContaining({ reason: 'SharedRedis' }),
    );
    await requireOwnClients(proxy.target, addresses, { allowOtherClients: true });
    stranger.destroy();
    await expect(requireOwnClients({ ...proxy.target, port: 1 }, addresses, strict)).rejects.toThrow(
      expect.objectContaining({ reason: 'RedisUnreachable' }),
    );
  });
});
