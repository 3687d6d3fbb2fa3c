/** Brings up an API on this machine, or finds it running, and finds out what its limiter does. */

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { UsageError } from '@chaosdemo/settings';
import { type RedisServer, TestbedError } from '@chaosdemo/testbed';
import { counted, messageOf } from '../../api/index.ts';
import { type Address, accepts } from '../../local/address.ts';
import { launchRedis, type StageStart } from '../../local/environment.ts';
import { API_NOT_ON_REDIS } from '../../local/errors.ts';
import { startFaultProxy } from '../../local/fault-proxy.ts';
import { startInstances } from '../../local/instances.ts';
import type { Limiter } from '../../local/limiters.ts';
import { makeRedisUsers } from '../../local/redis-users.ts';
import { listenerOf } from '../../local/target.ts';
import { accountsIn } from '../../subjects/admission/http-auth.ts';
import { CallerPool } from '../../subjects/http/caller-pool.ts';
import { PodClient } from '../../subjects/http/pod-client.ts';
import { probeApi } from '../probe/probe.ts';
import type { ApiOptions } from './arguments.ts';
import { NAME } from './place.ts';
import { RedisOfApi } from './redis.ts';
import { type OwnRedis, type Target, targetOf } from './target.ts';

type Login = Pick<OwnRedis, 'password' | 'username'>;

/** An API that answers, and its Redis. */
export type Prepared = Awaited<ReturnType<typeof prepare>>;

/** How long a limiter that counts later may take to reach Redis, as the controls of a run have it; milliseconds. */
const LATE_MS = 5_000;
const POLL_MS = 100;
/** Lines of output that show why an instance failed. */
const LOG_LINES = 15;

/**
 * @param options if a file has the facts, nothing is sent
 * @param needs `isProxied`: instances that are started connect to Redis through a fault proxy; `needsCount`: it is found
 * out where Redis counts
 * @returns `started`, `server` and `proxy`: what was started here; `login`: what the operator logs in with, if anything is
 * needed; `probed`: what requests showed; `count`: where Redis had the count of the first caller, undefined: in no key
 * with its name
 * @throws UsageError or TestbedError with what to do; what was started ends with the supervisor
 */
export async function prepare(
  options: ApiOptions & { readonly file?: string },
  start: StageStart,
  needs: { readonly isProxied?: boolean; readonly needsCount?: boolean } = {},
) {
  const { isProxied = false, needsCount = false } = needs;
  const { onProgress, signal } = start;
  const target = targetOf(options);
  const pool = await readPool(options.callers);
  const { operator: user } = makeRedisUsers();
  const aclUsers = [`user ${user.username} on >${user.password} +@all ~* &*`];
  const server = target.redis ? undefined : await launchRedis(start, { aclUsers });
  const redis: OwnRedis = target.redis ?? (server as RedisServer);
  // All of them have one address: only the user distinguishes the operator from the instances.
  const login = server ? user : loginOf(redis);
  const connection = new RedisOfApi(redis);
  let started: readonly Limiter[] = [];
  try {
    const clients = await connection.clients();
    if (target.redis)
      onProgress('redis', `${redis.host}:${redis.port} replies, and has ${counted(clients, 'client')}`);
    const proxy = isProxied ? await startFaultProxy(redis, start) : undefined;
    if (proxy) onProgress('redis', `REDIS_URL leads through a fault proxy at ${proxy.host}:${proxy.port}`);
    started = await startedOf(target, redis, start, proxy);
    const instances = started.length > 0 ? started.map(listenerOf) : await runningOf(target);
    onProgress('limiters', `instances: ${instances.map(({ host, port }) => `${host}:${port}`).join(', ')}`);
    const prepared = { instances, started, redis, login, server, proxy, pool };
    if (options.file !== undefined) return { ...prepared, probed: undefined, count: undefined };
    const before = await connection.counts().catch(() => undefined);
    const { host, port } = instances[0] as Address;
    const client = new PodClient({ name: `${host}:${port}`, host, port }, Date.now);
    const advice = 'Check the address, and that it works with curl';
    const accountOf = pool?.forRun(Number.POSITIVE_INFINITY).accountOf;
    const print = (line: string): void => onProgress('limiters', line);
    const probed = await probeApi(options, { client, signal, path: target.path, advice, accountOf, print });
    if (before) await requireUse(connection, before, redis, signal);
    const count = needsCount ? await connection.countOf(`${probed.mark}-1`) : undefined;
    // They expire as well, but a window may take an hour.
    if (target.redis) await connection.removeKeys(probed.mark).catch(() => undefined);
    return { ...prepared, probed, count };
  } catch (error) {
    // The probe sends its requests to the first.
    const subject = started.find(({ process }) => process.exit) ?? started[0];
    if (!signal.aborted && subject) for (const line of lastOutput(subject)) onProgress('limiters', line);
    throw error;
  } finally {
    connection.close();
  }
}

/** An instance that was started here, as far as its output goes. */
export interface Started {
  readonly name: string;
  readonly process: Pick<Limiter['process'], 'exit' | 'logTail'>;
}

/** The last output of an instance. */
export function lastOutput({ name, process }: Started): readonly string[] {
  const lines = process
    .logTail(LOG_LINES)
    .split('\n')
    .filter((line) => line !== '');
  return lines.length > 0 ? [`the last output of ${name}:`, ...lines] : [];
}

function loginOf({ password, username }: OwnRedis): Login | undefined {
  return password === undefined ? undefined : { ...(username !== undefined && { username }), password };
}

async function startedOf(
  { instances, redis }: Target,
  own: OwnRedis,
  { onProgress, signal, supervisor }: StageStart,
  proxy: Address | undefined,
): Promise<readonly Limiter[]> {
  if (!('command' in instances)) return [];
  const { command, count } = instances;
  onProgress('limiters', `starting ${count} x ${command}`);
  return await startInstances({
    supervisor,
    name: NAME,
    command,
    count,
    redisUrl: urlAt(redis?.url ?? `redis://${own.host}:${own.port}`, proxy),
    secrets: own.password === undefined ? [] : [own.password],
    signal,
  });
}

/** The same login and database at another address. */
function urlAt(text: string, address: Address | undefined): string {
  if (!address) return text;
  const url = new URL(text);
  [url.hostname, url.port] = [address.host, String(address.port)];
  return url.href;
}

async function runningOf({ instances }: Target): Promise<(Address & { readonly name: string })[]> {
  if ('command' in instances) return [];
  for (const { host, port } of instances) {
    if (await accepts({ host, port })) continue;
    throw new UsageError(
      `--url: nothing accepts connections at ${host}:${port}: start your API, or correct the port`,
    );
  }
  return instances.map((address, index) => ({ ...address, name: `${NAME}-${index}` }));
}

/** The requests of the probe must have reached Redis: most mistakes with its address show here, within seconds. */
async function requireUse(
  connection: RedisOfApi,
  before: Parameters<RedisOfApi['usedSince']>[0],
  { host, port }: OwnRedis,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + LATE_MS;
  while ((await connection.usedSince(before)) === 0) {
    if (performance.now() > deadline) {
      throw new TestbedError(
        API_NOT_ON_REDIS,
        `The API responded, and Redis at ${host}:${port} received no data command during its responses or in the ${LATE_MS / 1000} s after: the API does not count there.`,
      );
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

/**
 * Keys of accounts that the user names for callers: read from a file, and never printed. Without a file, callers get keys
 * that are made up. @throws UsageError with what to change in the file
 */
async function readPool(file: string | undefined): Promise<CallerPool | undefined> {
  if (file === undefined) return undefined;
  const refuse = (why: string): never => {
    throw new UsageError(`--callers ${file} ${why}`);
  };
  const text = await readFile(file, 'utf8').catch((error: unknown) =>
    refuse(`cannot be read: ${messageOf(error)}`),
  );
  const pool = new CallerPool(() => performance.now());
  pool.hold(accountsIn(text, refuse));
  return pool;
}
