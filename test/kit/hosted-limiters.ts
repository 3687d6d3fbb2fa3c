/** Real nodes of the bundled rate limiter, many of them in one process. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, type OwnedProcess, type Supervisor } from '@chaosdemo/testbed';
import type { Limiter, LimiterMode } from '../../src/local/limiters.ts';
import type { RedisUser } from '../../src/local/redis-users.ts';
import type { Address } from './relay.ts';
import { until } from './until.ts';

/** A node of a rate limiter in a process that it shares with others. */
export interface HostedNode {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  /** http: no node of the bundled limiter, but one that is known by HTTP only. */
  readonly mode: LimiterMode | 'http';
  readonly redisPort: number;
  /** Requests that one caller is admitted in a window; default: 10. */
  readonly limit?: number;
  /** Of one that is known by HTTP only: it finds Redis by these. */
  readonly sentinels?: readonly Address[];
}

/** The addresses of the limiters of every target; ports distinguish those of different targets. */
export const LIMITER_HOSTS = ['127.0.0.2', '127.0.0.3', '127.0.0.4'] as const;

const PROGRAM = fileURLToPath(new URL('limiter-host.ts', import.meta.url));

/** Three nodes, one on each address, all on the same port, as pods have it: `prefix-0` and so on. */
export async function threeNodes(
  prefix: string,
  node: Pick<HostedNode, 'limit' | 'mode' | 'redisPort' | 'sentinels'>,
): Promise<HostedNode[]> {
  const port = await freePort(LIMITER_HOSTS);
  return LIMITER_HOSTS.map((host, i) => ({ ...node, id: `${prefix}-${i}`, host, port }));
}

/** A node as what it is to others. */
export function asLimiter({ id, host, port }: HostedNode, process: OwnedProcess): Limiter {
  return { name: id, ip: host, port, url: `http://${host}:${port}`, process };
}

/** Starts the nodes in one process. Resolves once all of them say that they are healthy. @throws when it ends before */
export async function hostLimiters(
  supervisor: Supervisor,
  nodes: readonly HostedNode[],
  user?: RedisUser,
): Promise<OwnedProcess> {
  const process = await supervisor.start({
    name: 'limiters',
    command: globalThis.process.execPath,
    args: [PROGRAM, JSON.stringify(nodes)],
    env: {
      PATH: globalThis.process.env['PATH'],
      NODE_COMPILE_CACHE: globalThis.process.env['NODE_COMPILE_CACHE'],
      ...(user ? { REDIS_USERNAME: user.username, REDIS_PASSWORD: user.password } : {}),
    },
    logFile: join(supervisor.temporaryFolder('limiters'), 'limiters.log'),
  });
  await Promise.all(
    nodes.map(async ({ id, host, port }) => {
      const url = `http://${host}:${port}/health`;
      const isOver = async (): Promise<boolean> =>
        process.exit !== undefined || (await fetch(url, { signal: AbortSignal.timeout(10_000) })).ok;
      await until(isOver, { what: `${id} to be healthy` });
    }),
  );
  if (process.exit) throw process.exitError();
  return process;
}
