/** Pods of a lock that a test plants: plain HTTP servers over a real Redis. They end with their test. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis, type RedisOptions } from 'ioredis';
import { type ChaosDemoSpec, specSchema } from '../../src/api/index.ts';
import { lockApi, lockKind } from '../../src/subjects/lock/kind.ts';
import { connectorFrom } from './connector-from.ts';
import { DrivenLimiter } from './driven-limiter.ts';
import { onTestFinished } from './finished.ts';

/** A grant, with what the pod tells its holder. */
export interface Granted {
  readonly token: string;
  readonly fence?: number;
}

/** A lock of one pod. If it throws, the pod answers 503. */
export interface PlantedLock {
  /** Undefined: it is denied. */
  acquire(key: string, token: string): Promise<Granted | undefined>;
  release(key: string, token: string): Promise<void>;
  /** Ends with its pod. */
  stop?(): void;
}

export type PlantLock = (store: Redis, pod: number, others: readonly Redis[]) => PlantedLock;

/** A command is given up after this time, and may be carried out later, as with a timeout of a client. */
export const GIVES_UP: ClientOptions = { commandTimeout: 400 };

export type ClientOptions = Pick<RedisOptions, 'commandTimeout' | 'maxRetriesPerRequest' | 'retryStrategy'>;

/** Of the locks of {@link compared}. */
export const TTL_MS = 2000;
const DELETE_OWN = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

export async function setOwn(
  store: Redis,
  key: string,
  token: string,
  ttlMs = TTL_MS,
): Promise<Granted | undefined> {
  return (await store.set(key, token, 'PX', ttlMs, 'NX')) === 'OK' ? { token } : undefined;
}

/** Right: set if it is free, with a time to live, and delete by the holder only. */
export const compared: PlantLock = (store) => ({
  acquire: (key, token) => setOwn(store, key, token),
  release: async (key, token) => void (await store.eval(DELETE_OWN, 1, key, token)),
});

/** The same, but if Redis errs, it grants or denies. */
export const ifRedisErrs =
  (isGranted: boolean): PlantLock =>
  (store, ...rest) => {
    const lock = compared(store, ...rest);
    const anyway = (token: string) => (isGranted ? { token } : undefined);
    return { ...lock, acquire: (key, token) => lock.acquire(key, token).catch(() => anyway(token)) };
  };

const ADDRESSES = ['127.0.0.71', '127.0.0.72', '127.0.0.73'];

interface Store {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
}

/** A pod at each address, with its own connection. */
export async function plantedPods(
  redis: Store,
  plant: PlantLock,
  options: ClientOptions = GIVES_UP,
  others: readonly Store[] = [],
) {
  return await Promise.all(
    ADDRESSES.map(async (address, i) => await plantedPod([redis, ...others], plant, options, address, i)),
  );
}

async function plantedPod(
  servers: readonly Store[],
  plant: PlantLock,
  options: ClientOptions,
  address: string,
  index: number,
) {
  const stores = servers.map((server) => {
    const store = new Redis({ ...options, ...server, Connector: connectorFrom(address) });
    return store.on('error', () => undefined);
  });
  const [store, ...others] = stores;
  if (!store) throw new TypeError('there is no Redis');
  const lock = plant(store, index, others);
  const server = createServer((request, response) => {
    void answer(lock, request).then(
      ([status, body]) => response.writeHead(status, { 'content-type': 'application/json' }).end(body),
      () => response.writeHead(503).end(),
    );
  }).listen(0, address);
  await once(server, 'listening');
  onTestFinished(async () => {
    lock.stop?.();
    for (const one of stores) one.disconnect();
    server.close();
    server.closeAllConnections();
  });
  return { name: `worker-${index}`, host: address, port: (server.address() as AddressInfo).port };
}

async function answer(lock: PlantedLock, request: IncomingMessage): Promise<[status: number, body?: string]> {
  const [, , key = ''] = (request.url ?? '').split('/');
  if (request.method === 'POST') {
    const granted = await lock.acquire(key, randomUUID());
    return granted ? [200, JSON.stringify(granted)] : [409];
  }
  if (request.method === 'DELETE') await lock.release(key, String(request.headers['x-lock-token'] ?? ''));
  return [request.method === 'DELETE' ? 204 : 200];
}

export interface LockTrial {
  readonly slots?: number;
  readonly ttl?: string;
  readonly isFenced?: boolean;
  readonly fault?: { readonly type?: string; readonly duration?: string };
  readonly accept?: readonly string[];
  readonly callerTimeout?: string;
}

export function lockSpec(trial: LockTrial = {}): ChaosDemoSpec {
  const { accept, callerTimeout = '1s', fault = {}, isFenced, slots = 1, ttl } = trial;
  const token = { pointer: '/token' };
  return specSchema([lockApi]).parse({
    lock: {
      selector: { matchLabels: { app: 'worker' } },
      acquire: { path: '/locks/$(key)', token, ...(isFenced && { fencing: { pointer: '/fence' } }) },
      release: { path: '/locks/$(key)', headers: [{ name: 'x-lock-token', value: '$(token)' }] },
      slots,
      ...(ttl !== undefined && { ttl }),
      redis: { serviceName: 'redis', key: '$(key)' },
      health: { path: '/healthz' },
    },
    scenarios: [
      {
        name: 'exclusion',
        type: 'Exclusion',
        exclusion: {
          fault: { duration: '3s', ...fault },
          callerTimeout,
          keys: 4,
          settle: '2s',
          ...(accept && { accept }),
        },
      },
    ],
  });
}

/** A driver of a run on these pods; it ends with its test. */
export function drivenLock(
  redis: { readonly host: string; readonly port: number },
  pods: Awaited<ReturnType<typeof plantedPods>>,
  trial: LockTrial,
): DrivenLimiter {
  const { host, port } = redis;
  const driver = new DrivenLimiter({
    kind: lockKind,
    pods,
    redis: { podName: 'redis-0', host, port, tls: false },
    spec: lockSpec(trial),
  });
  onTestFinished(() => driver.close());
  return driver;
}
