// A lock of a library behind HTTP, as its documentation shows it: LIB, PORT and REDIS_URL in its environment.
// COMMAND_TIMEOUT sets the timeout of ioredis for each command, which is off by default. SENTINELS and MASTER replace the URL.
import { createServer } from 'node:http';
import { Redlock as RedlockOfFork } from '@sesamecare-oss/redlock';
import { Redis } from 'ioredis';
import { Mutex, Semaphore } from 'redis-semaphore';
import Redlock from 'redlock';

const { COMMAND_TIMEOUT, HOST = '127.0.0.1', LIB = 'redlock', PORT } = process.env;
const { MASTER, REDIS_URL, SENTINELS, SLOTS = '1' } = process.env;
const TTL_MS = 5000;
/** Of redis-semaphore, whose `tryAcquire` else tries for 10 s; a lock is not renewed, as by the others. */
const ONCE = { lockTimeout: TTL_MS, refreshInterval: 0, acquireAttemptsLimit: 1 };
const options = COMMAND_TIMEOUT ? { commandTimeout: Number(COMMAND_TIMEOUT) } : {};
const sentinels = SENTINELS?.split(',').map((address) => {
  const [host, port] = address.split(':');
  return { host, port: Number(port) };
});
const client = sentinels ? new Redis({ sentinels, name: MASTER, ...options }) : new Redis(REDIS_URL, options);
client.on('error', () => undefined);

/** Each acquires a slot, and returns how to release it; undefined: it is held by others. */
const LIBRARIES = {
  async redlock() {
    const redlock = new Redlock([client], { retryCount: 0 });
    redlock.on('error', () => undefined);
    return async (key) => {
      const lock = await redlock.lock(key, TTL_MS).catch(denied);
      return lock && (() => lock.unlock());
    };
  },
  async sesamecare() {
    const redlock = new RedlockOfFork([client], { retryCount: 0 });
    redlock.on('error', () => undefined);
    return async (key) => {
      const lock = await redlock.acquire([key], TTL_MS).catch(denied);
      return lock && (() => lock.release());
    };
  },
  async mutex() {
    return async (key) => {
      const mutex = new Mutex(client, key, ONCE);
      return (await mutex.tryAcquire()) ? () => mutex.release() : undefined;
    };
  },
  async semaphore() {
    return async (key) => {
      const semaphore = new Semaphore(client, key, Number(SLOTS), ONCE);
      return (await semaphore.tryAcquire()) ? () => semaphore.release() : undefined;
    };
  },
};

/** Their errors do not tell a lock that is held from a Redis that does not answer, except by their causes. */
function denied(error) {
  const text = `${error.name} ${error.message}`;
  if (/LockError|ExecutionError|ResourceLocked|quorum|exceeded/i.test(text) && !/timed out/i.test(text))
    return undefined;
  throw error;
}

const acquire = await LIBRARIES[LIB]();
const held = new Map();

async function answer({ headers, method, url }) {
  if (url === '/healthz') return [200];
  const key = `lock:${url.split('/').at(-1)}`;
  if (method === 'DELETE') {
    const token = headers['x-lock-token'];
    const release = held.get(token);
    await release?.();
    held.delete(token);
    return [204];
  }
  const release = await acquire(key);
  if (!release) return [409];
  const token = crypto.randomUUID();
  held.set(token, release);
  return [200, JSON.stringify({ token })];
}

createServer((request, response) => {
  answer(request).then(
    ([status, body]) => response.writeHead(status).end(body),
    () => response.writeHead(503).end(),
  );
}).listen(Number(PORT), HOST);
