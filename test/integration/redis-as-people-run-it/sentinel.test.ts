/** Faults of a real master under three real Sentinels: short ones go unnoticed, and others are not begun. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SentinelsTarget } from '@chaosdemo/redis-faults';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { keepingTime, withoutRealTime } from '../../kit/pace.ts';
import { type StartedSentinel, startSentinel, startSentinels, WATCHED_AS } from '../../kit/sentinels.ts';
import { supervisorOfFile } from '../../kit/supervisor.ts';
import { until } from '../../kit/until.ts';
import { Replicated } from './support/topology.ts';

const DOWN_AFTER_MS = 3000;
const LONGEST_MS = 2500;

const supervisor = supervisorOfFile();
let servers: Replicated;
let sentinels: readonly StartedSentinel[];
beforeAll(async () => {
  servers = await Replicated.start(supervisor, ['127.0.0.71', '127.0.0.72']);
  sentinels = await startSentinels(supervisor, servers.master, { downAfterMs: DOWN_AFTER_MS, replicas: 2 });
});
afterAll(() => {
  servers?.close();
  for (const { observer } of sentinels ?? []) observer.disconnect();
});

function found(change: Partial<SentinelsTarget> = {}): SentinelsTarget {
  return { masterName: WATCHED_AS, servers: sentinels.map(({ target }) => target), ...change };
}

async function admission(longestMs = LONGEST_MS, target: SentinelsTarget | undefined = found()) {
  return await servers.admission(servers.target(), longestMs, target);
}

/** Sets it on one Sentinel, until the test ends. */
async function setDownAfter(sentinel: StartedSentinel | undefined, ms: number): Promise<void> {
  const set = async (value: number) =>
    await sentinel?.observer.call('SENTINEL', 'SET', WATCHED_AS, 'down-after-milliseconds', String(value));
  onTestFinished(async () => void (await set(DOWN_AFTER_MS)));
  await set(ms);
}

/** Events of all Sentinels about the master. */
async function eventsSeen(): Promise<readonly string[]> {
  const seen: string[] = [];
  for (const { target } of sentinels) {
    const subscriber = new Redis({ host: target.host, port: target.port });
    onTestFinished(() => subscriber.disconnect());
    subscriber.on('pmessage', (_pattern: string, event: string, about: string) => {
      if (about.startsWith('master ')) seen.push(event);
    });
    await subscriber.psubscribe('*');
  }
  return seen;
}

describe('a master that Sentinels watch', () => {
  it('is admitted with a fault that is 500 ms shorter than down-after-milliseconds', async () => {
    expect(await admission()).toMatch(/^[0-9a-f]{40}$/);
  });

  it('is refused with a longer fault, with the numbers to write', async () => {
    expect(await admission(2600)).toMatch(
      /^RedisNotEligible: .*sentinel-81 .* 3000 ms .* 2600 ms .* 500 ms .*duration.* most 2s500ms.* least 3100 /,
    );
  });

  it('is refused without Sentinels in the spec, with the fields to set', async () => {
    const refusal = await servers.admission(servers.target(), LONGEST_MS);
    expect(refusal).toMatch(
      /^RedisNotEligible: .* 127\.0\.0\.8\d, .*redis-0 .*redis\.sentinel\.serviceName .*masterName/,
    );
  });

  it('is refused if one more watches it than were found, until that is found', async () => {
    const options = { host: '127.0.0.84', downAfterMs: DOWN_AFTER_MS };
    const fourth = await startSentinel(supervisor, servers.master, options);
    onTestFinished(async () => {
      fourth.kill('SIGKILL');
      fourth.observer.disconnect();
      await until(async () => /^[0-9a-f]{40}$/.test(await admission()), { what: 'it to be gone' });
    });
    await until(async () => (await admission()).includes('a Sentinel at 127.0.0.84 watches'), {
      what: 'it to watch',
    });
    const four = found({ servers: [...found().servers, fourth.target] });
    await until(async () => /^[0-9a-f]{40}$/.test(await admission(LONGEST_MS, four)), {
      what: 'it to know the master',
      deadlineMs: 20_000,
    });
  });
});

describe.skipIf(withoutRealTime)('a fault under Sentinels', () => {
  it.for(['Stall', 'Disconnect'] as const)('goes unnoticed by all of them: %s of 2.5 s', (type, context) =>
    keepingTime(async () => {
      const before = await servers.replication();
      const { driver, key } = await servers.driven(type, LONGEST_MS, found());
      const seen = await eventsSeen();
      const counted = await servers.pauses();
      await driver.leadThrough('outage', key, LONGEST_MS);
      expect(driver.observed.faults['f']).toMatchObject({
        proof: 'Confirmed',
        endedAt: expect.any(Number),
      });
      expect(await servers.pauses()).toBe(counted + 1);
      // As long again as a Sentinel waits.
      await sleep(DOWN_AFTER_MS);
      expect(seen).toEqual([]);
      expect(await servers.replication()).toEqual(before);
    })(context),
  );

  it('is not injected if a value is lowered after its preparation', (context) =>
    keepingTime(async () => {
      const { driver, key } = await servers.driven('Stall', LONGEST_MS, found());
      await driver.prepare('outage', key);
      await setDownAfter(sentinels[2], 2900);
      const counted = await servers.pauses();
      const report = await driver.inject('outage', LONGEST_MS);
      expect(report).toMatchObject({ missed: true, message: expect.stringMatching(/sentinel-83 .*2900 ms/) });
      expect(await servers.pauses()).toBe(counted);
    })(context));

  it('would be noticed if it were longer: the events are seen', (context) =>
    keepingTime(async () => {
      const seen = await eventsSeen();
      const [master] = servers.observers;
      await master?.call('CLIENT', 'PAUSE', String(DOWN_AFTER_MS + 6000), 'WRITE');
      await until(() => seen.includes('+sdown'), { what: '+sdown' });
      await master?.call('CLIENT', 'UNPAUSE');
      await until(() => seen.includes('-sdown') || seen.includes('+switch-master'), { what: 'its end' });
    })(context));
});
