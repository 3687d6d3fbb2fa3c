/**
 * Starts the bundled rate limiter as several real processes over one Redis. Each listens on a separate loopback
 * address, all on the same port, as pods do.
 */
import { join } from 'node:path';
import { freePort, type Supervisor } from '@chaosdemo/testbed';
import type { Address } from './address.ts';
import type { RedisUser } from './redis-users.ts';
import { root } from './root.ts';

/** How the limiter counts; see packages/limiter. */
export type LimiterMode = 'approximate' | 'strict';

export interface LimiterOptions {
  readonly supervisor: Supervisor;
  readonly mode: LimiterMode;
  /** How many; the first has the address 127.0.0.2. */
  readonly count: number;
  /** `caFile`: PEM file of the authority that signed its certificate; without one it does not use TLS. */
  readonly redis: Address & { readonly user: RedisUser; readonly caFile?: string };
  /** Folder for their logs. */
  readonly folder: string;
  readonly signal?: AbortSignal;
}

/** A limiter that answers and has its Redis. */
export type Limiter = Awaited<ReturnType<typeof startLimiter>>;

const readyTimeoutMs = 180_000;

/**
 * Resolves when all report healthy. They end with the supervisor.
 * @throws TestbedError LOOPBACK_ALIAS_MISSING, PROCESS_EXITED or NOT_READY
 */
export async function startLimiters(options: LimiterOptions): Promise<Limiter[]> {
  const ips = Array.from({ length: options.count }, (_, index) => `127.0.0.${index + 2}`);
  const port = await freePort(ips);
  const limiters = await Promise.all(ips.map((ip, index) => startLimiter(options, index, ip, port)));
  await Promise.all(
    limiters.map(({ process, url }) =>
      process.untilReady(() => isHealthy(url), readyTimeoutMs, options.signal),
    ),
  );
  return limiters;
}

async function startLimiter(
  { supervisor, mode, redis, folder }: LimiterOptions,
  index: number,
  ip: string,
  port: number,
) {
  const name = `ratelimiter-${index}`;
  const owned = await supervisor.start({
    name,
    command: process.execPath,
    args: [join(root, 'packages/limiter/src/main.ts')],
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      NODE_ID: name,
      HOST: ip,
      PORT: String(port),
      POD_IP: ip,
      LIMITER_MODE: mode,
      REDIS_HOST: redis.host,
      REDIS_PORT: String(redis.port),
      REDIS_USERNAME: redis.user.username,
      REDIS_PASSWORD: redis.user.password,
      REDIS_TLS: String(redis.caFile !== undefined),
      REDIS_TLS_CA_FILE: redis.caFile,
    },
    logFile: join(folder, `${name}.log`),
  });
  // `name`: its node id, and the name of its pod.
  return { name, ip, port, url: `http://${ip}:${port}`, process: owned };
}

async function isHealthy(url: string): Promise<boolean> {
  return (await fetch(`${url}/health`, { signal: AbortSignal.timeout(2_000) })).ok;
}
