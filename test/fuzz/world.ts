/** What is fuzzed: the operator in this process, and three namespaces with all that a tenant can bring. */

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type ControlPlane, Supervisor, startRedis, writeKubeconfig } from '@chaosdemo/testbed';
import { aclLines, makeRedisUsers } from '../../src/local/redis-users.ts';
import { bundledTarget, registerAt } from '../../src/local/target.ts';
import { randomOf } from '../../src/subjects/scenarios/seed.ts';
import { asLimiter, hostLimiters, threeNodes } from '../kit/hosted-limiters.ts';
import { prepareOperator } from '../kit/operator.ts';
import { type OperatorHere, startOperatorHere } from '../kit/operator-in-process.ts';
import { type GarblingProxy, startGarblingProxy } from './garbling-proxy.ts';

/** The share of spoiled answers of nodes and Redis: so that runs come far enough to be hurt. */
const SPOILED = 0.08;

export interface FuzzWorld {
  /** In the order of `Case.place`. */
  readonly namespaces: readonly [string, string, string];
  readonly operator: OperatorHere;
  /** Answers that were spoiled so far. */
  garbled(): number;
  stop(): Promise<void>;
}

/** Starts it on a control plane that has the CRD and the ClusterRoles. */
export async function startFuzzWorld(
  controlPlane: Pick<ControlPlane, 'caFile' | 'kubectl' | 'url'>,
  seed: number,
): Promise<FuzzWorld> {
  const { caFile, kubectl, url } = controlPlane;
  const name = `fuzz-${randomBytes(4).toString('hex')}`;
  const system = `${name}-system`;
  const [closed, empty, hostile] = [`${name}-closed`, `${name}-empty`, `${name}-hostile`];
  const supervisor = new Supervisor();
  const proxies: GarblingProxy[] = [];
  try {
    await prepareOperator(kubectl, { system, namespaces: [empty, hostile] });
    await kubectl.createNamespace(closed);
    const users = makeRedisUsers();
    const redis = await startRedis({ supervisor, aclUsers: aclLines(users) });
    const nodes = await threeNodes('ratelimiter', { mode: 'approximate', redisPort: redis.port });
    const process = await hostLimiters(supervisor, nodes, users.limiter);
    const garbling = { random: randomOf(seed), share: SPOILED };
    // All pods of a rate limiter have one port.
    let port = 0;
    for (const { host, port: target } of nodes) {
      const proxy = await startGarblingProxy(host, { host, port: target }, garbling, port);
      ({ port } = proxy);
      proxies.push(proxy);
    }
    const before = await startGarblingProxy('127.0.0.1', redis, garbling);
    proxies.push(before);
    await registerAt(
      kubectl,
      bundledTarget({
        namespace: hostile,
        limiters: nodes.map((node) => asLimiter({ ...node, port }, process)),
        redis: { ...redis, host: before.host, port: before.port, pid: redis.pid },
        secret: { ...users.operator },
      }),
    );
    const folder = supervisor.temporaryFolder('fuzz');
    const kubeconfigFor: ControlPlane['kubeconfigFor'] = (file, token, of) =>
      writeKubeconfig(join(folder, file), { url, caFile }, token, of);
    const namespaces = [closed, empty, hostile] as const;
    const operator = await startOperatorHere({ system, namespaces }, { kubectl, kubeconfigFor });
    return {
      namespaces,
      operator,
      garbled: () => proxies.reduce((sum, proxy) => sum + proxy.garbled(), 0),
      stop: async () => {
        await operator.stop();
        await Promise.all(proxies.map((proxy) => proxy.stop()));
        await supervisor.close();
      },
    };
  } catch (error) {
    await Promise.all(proxies.map((proxy) => proxy.stop()));
    await supervisor.close();
    throw error;
  }
}
