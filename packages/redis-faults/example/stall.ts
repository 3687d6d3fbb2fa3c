/** Stalls the writes of a Redis on this machine for two seconds. REDIS_PORT: its port. */
import { admitRedis, OwnPause, RedisConnections, StoreConnections, stall } from '@chaosdemo/redis-faults';

const { signal } = new AbortController();
const server = { podName: 'redis', host: '127.0.0.1', port: Number(process.env['REDIS_PORT']), tls: false };

// Throws a RedisRefusal for a replica, for an old Redis, and if Sentinels would take the stall for a failure.
const rules = { allowOtherClients: true, longestMs: 2000 };
const { masters } = await admitRedis({ redis: [server], addresses: [] }, rules, signal);
const redis = new StoreConnections(masters, (master) => new RedisConnections(master, 'example'));
const fault = stall.mechanisms.Redis.create({
  redis,
  ownPause: new OwnPause(false),
  target: { pods: [], redis: masters },
  usualWriteMs: () => 1,
  checkStore: async () => ({ state: 'free' }),
  findStore: async () => masters,
  now: Date.now,
  lifetime: signal,
});
try {
  // From here on, Redis carries out no pause of another process. Store the marker before the fault.
  const { marker } = await fault.prepare(10_000, signal);
  const plannedAt = Date.now();
  const moment = { plannedAt, until: plannedAt + 2000 };
  const began = await fault.inject(moment, () => undefined, { refusal: () => undefined }, signal);
  process.stdout.write(`${began.proof}: ${began.message}\n`);
  // If this process dies now, Redis ends the stall, and its successor calls `inquire`.
  const ended = await fault.awaitEnd(signal);
  process.stdout.write(`${ended.evidence.at(-1)}. ${await fault.inquire(marker)}\n`);
} finally {
  redis.close();
}
