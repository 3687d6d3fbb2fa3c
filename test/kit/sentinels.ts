/** Real Sentinels over a master, each at its own address, as in a pod. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RedisTarget, SENTINEL_ACL } from '@chaosdemo/redis-faults';
import { findRedis, freePort, type Supervisor } from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import type { RedisTlsFiles } from './certificate.ts';
import { userLine } from './nodes-on-redis.ts';
import { overTls } from './over-tls.ts';
import { until } from './until.ts';

/** The name under which they watch it. */
export const WATCHED_AS = 'limits';

export interface StartedSentinel {
  /** As the operator logs in. */
  readonly target: RedisTarget;
  /** A connection with every right. */
  readonly observer: Redis;
  readonly pid: number;
  readonly logFile: string;
  /** Sends it a signal. */
  readonly kill: (signal: NodeJS.Signals) => void;
}

/** What they watch, and how the master lets them in; left out: without a user. */
interface Watched {
  readonly host: string;
  readonly port: number;
  readonly user?: { readonly username: string; readonly password: string };
}

interface SentinelOptions {
  /** Its address, also for its connections. */
  readonly host: string;
  readonly downAfterMs: number;
  /** Speaks only TLS then, also to the master; default: plain TCP. */
  readonly tls?: RedisTlsFiles;
}

/** Resolves once it watches. */
export async function startSentinel(
  supervisor: Supervisor,
  master: Watched,
  { host, downAfterMs, tls }: SentinelOptions,
): Promise<StartedSentinel> {
  const { path } = await findRedis();
  const port = await freePort([host]);
  const folder = supervisor.temporaryFolder('sentinel');
  const config = join(folder, 'sentinel.conf');
  const { user } = master;
  const monitored = `sentinel monitor ${WATCHED_AS} ${master.host} ${master.port} 2`;
  const login = user
    ? [
        `sentinel auth-user ${WATCHED_AS} ${user.username}`,
        `sentinel auth-pass ${WATCHED_AS} ${user.password}`,
      ]
    : [];
  const lines = [
    ...(tls ? overTls(port, tls) : [`port ${port}`]),
    `bind ${host}`,
    `bind-source-addr ${host}`,
    'protected-mode no',
    `dir ${folder}`,
    userLine('operator', SENTINEL_ACL),
    userLine('failing-over', `${SENTINEL_ACL} +sentinel|failover`),
    userLine('blind', '-@all +ping resetchannels'),
    monitored,
    `sentinel down-after-milliseconds ${WATCHED_AS} ${downAfterMs}`,
    ...login,
    '',
  ];
  // A Sentinel writes into its file what it finds out.
  await writeFile(config, lines.join('\n'), { mode: 0o600 });
  const process = await supervisor.start({
    name: `Sentinel on ${host}`,
    command: path,
    args: [config, '--sentinel'],
    logFile: join(folder, 'log'),
  });
  const trusting = tls ? { tls: { rejectUnauthorized: false } } : {};
  const observer = new Redis({ host, port, lazyConnect: true, ...trusting });
  observer.on('error', () => undefined);
  await process.untilReady(async () => {
    if (observer.status !== 'ready') await observer.connect();
    return /status=ok/.test(await observer.info());
  }, 60_000);
  const target = { podName: `sentinel-${host.split('.').at(-1)}`, host, port, tls: false };
  return {
    target: { ...target, username: 'operator', password: 'secret' },
    observer,
    pid: process.pid,
    logFile: process.logFile,
    kill: (signal) => process.kill(signal),
  };
}

/** Three that know each other and the replicas. */
export async function startSentinels(
  supervisor: Supervisor,
  master: Watched,
  { downAfterMs, replicas }: { readonly downAfterMs: number; readonly replicas: number },
): Promise<readonly StartedSentinel[]> {
  const hosts = ['127.0.0.81', '127.0.0.82', '127.0.0.83'];
  const sentinels = await Promise.all(
    hosts.map((host) => startSentinel(supervisor, master, { host, downAfterMs })),
  );
  for (const { observer } of sentinels) {
    await until(
      async () => {
        const state = await stateOf(observer);
        return (
          state.get('num-other-sentinels') === String(hosts.length - 1) &&
          state.get('num-slaves') === String(replicas) &&
          state.get('flags') === 'master' &&
          state.get('runid') !== ''
        );
      },
      { what: 'the Sentinels to know each other', deadlineMs: 60_000 },
    );
  }
  return sentinels;
}

/** The fields of SENTINEL MASTER. */
export async function stateOf(sentinel: Redis): Promise<ReadonlyMap<string, string>> {
  const flat = (await sentinel.call('SENTINEL', 'MASTER', WATCHED_AS)) as string[];
  return new Map(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] ?? ''] as const] : [])));
}
