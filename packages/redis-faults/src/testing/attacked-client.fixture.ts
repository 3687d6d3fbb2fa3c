/**
 * For tests only: a program that sends a server one command over a bounded connection, and prints what became of it
 * and of its memory. Needs --expose-gc.
 *
 * node --expose-gc attacked-client.ts <port> <command ...>
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { boundedConnection } from '../client/bounded-connection.ts';

/** One line of JSON. Sizes in bytes, over what the process took before its command. */
export interface Attacked {
  readonly outcome: 'answered' | 'rejected';
  readonly code?: string;
  readonly message?: string;
  /** The most seen at any time, garbage included. */
  readonly peak: number;
  /** What is left once garbage is collected. */
  readonly left: number;
}

const TIMEOUT_MS = 1000;

/** After the outcome, for what comes late: a surplus reply, an exception of a timer, bytes on a socket left open. */
const AFTERMATH_MS = 150;

const [port, command = '', ...args] = process.argv.slice(2);

function taken(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

globalThis.gc?.();
const before = taken();
let peak = 0;
const sampling = setInterval(() => {
  peak = Math.max(peak, taken() - before);
}, 5);

const redis = boundedConnection(
  { podName: 'redis-0', host: '127.0.0.1', port: Number(port), tls: false },
  { connectTimeout: TIMEOUT_MS, commandTimeout: TIMEOUT_MS },
);
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
await sleep(AFTERMATH_MS);
clearInterval(sampling);
peak = Math.max(peak, taken() - before);
globalThis.gc?.();
process.stdout.write(`${JSON.stringify({ ...result, peak, left: taken() - before })}\n`);
// A socket that is left open would keep this process alive.
process.exit(0);
