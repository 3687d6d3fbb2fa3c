/**
 * For tests only: a program that asks a server one thing, over a bounded connection or over a plain one of ioredis,
 * and prints what became of it and of its memory. Needs --expose-gc.
 *
 * node --expose-gc attacked-client.fixture.ts <bounded|plain> <port> <command ...>
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { boundedConnection } from './bounded-connection.ts';

/** One line of JSON. Sizes in bytes, over what the process took before it asked. */
export interface Attacked {
  readonly outcome: 'answered' | 'rejected' | 'exhausting';
  readonly code?: string;
  readonly message?: string;
  /** The most seen at any time, garbage included. */
  readonly peak: number;
  /** What is left once garbage is collected. */
  readonly left: number;
}

/** As soon as it grew by this, its memory counts as exhausted. */
const EXHAUSTED_BYTES = 96 * 1024 * 1024;

const TIMEOUT_MS = 1000;

/** After the outcome, for what comes late: a surplus reply, an exception of a timer, bytes on a socket left open. */
const AFTERMATH_MS = { bounded: 150, plain: 60_000 };

const [kind, port, command = '', ...args] = process.argv.slice(2);

function taken(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function open(): Redis {
  if (kind === 'bounded') {
    return boundedConnection(
      { podName: 'redis-0', host: '127.0.0.1', port: Number(port), tls: false },
      { connectTimeout: TIMEOUT_MS, commandTimeout: TIMEOUT_MS },
    );
  }
  const redis = new Redis({
    host: '127.0.0.1',
    port: Number(port),
    lazyConnect: true,
    protocol: 2,
    disableClientInfo: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    commandTimeout: TIMEOUT_MS,
  });
  redis.on('error', () => undefined);
  return redis;
}

function tell(result: Omit<Attacked, 'peak' | 'left'>): void {
  globalThis.gc?.();
  process.stdout.write(`${JSON.stringify({ ...result, peak, left: taken() - before })}\n`);
}

globalThis.gc?.();
const before = taken();
let peak = 0;
const sampling = setInterval(() => {
  peak = Math.max(peak, taken() - before);
  if (peak < EXHAUSTED_BYTES) return;
  tell({ outcome: 'exhausting' });
  process.exit(0);
}, 5);

const redis = open();
const result = await redis
  .connect()
  .then(() => redis.call(command, ...args))
  .then(
    (): Omit<Attacked, 'peak' | 'left'> => ({ outcome: 'answered' }),
    (error: Error & { code?: string }): Omit<Attacked, 'peak' | 'left'> => ({
      outcome: 'rejected',
      message: error.message,
      ...(error.code === undefined ? {} : { code: error.code }),
    }),
  );
await sleep(kind === 'bounded' ? AFTERMATH_MS.bounded : AFTERMATH_MS.plain);
clearInterval(sampling);
peak = Math.max(peak, taken() - before);
tell(result);
// A socket that is left open would keep this process alive.
process.exit(0);
