/** Many rate limiters, each with its own Redis, and the operator in this process. */

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type ControlPlane, Supervisor, startRedis, writeKubeconfig } from '@chaosdemo/testbed';
import { aclLines, makeRedisUsers } from '../../src/local/redis-users.ts';
import { bundledTarget, registerAt } from '../../src/local/target.ts';
import { asLimiter, hostLimiters, threeNodes } from '../kit/hosted-limiters.ts';
import { prepareOperator } from '../kit/operator.ts';
import { type OperatorHere, startOperatorHere } from '../kit/operator-in-process.ts';

export interface EnduranceWorld {
  /** One for each target. */
  readonly namespaces: readonly string[];
  readonly operator: OperatorHere;
  stop(): Promise<void>;
}

/** Starts `targets` of them on a control plane that has the CRD and the ClusterRoles. The nodes share a process. */
export async function startEnduranceWorld(
  { caFile, kubectl, url }: Pick<ControlPlane, 'caFile' | 'kubectl' | 'url'>,
  targets: number,
): Promise<EnduranceWorld> {
  const name = `endure-${randomBytes(4).toString('hex')}`;
  const system = `${name}-system`;
  const namespaces = Array.from({ length: targets }, (_, index) => `${name}-${index}`);
  const supervisor = new Supervisor();
  try {
    await prepareOperator(kubectl, { system, namespaces });
    const users = makeRedisUsers();
    const sets = [];
    for (const namespace of namespaces) {
      const redis = await startRedis({ supervisor, aclUsers: aclLines(users) });
      const nodes = await threeNodes(namespace, { mode: 'approximate', redisPort: redis.port });
      sets.push({ namespace, nodes, redis });
    }
    const all = sets.flatMap(({ nodes }) => nodes);
    const process = await hostLimiters(supervisor, all, users.limiter);
    for (const { namespace, nodes, redis } of sets) {
      const limiters = nodes.map((node) => asLimiter(node, process));
      await registerAt(kubectl, bundledTarget({ namespace, limiters, redis, secret: { ...users.operator } }));
    }
    const folder = supervisor.temporaryFolder('endurance');
    const kubeconfigFor: ControlPlane['kubeconfigFor'] = (file, token, of) =>
      writeKubeconfig(join(folder, file), { url, caFile }, token, of);
    const operator = await startOperatorHere({ system, namespaces }, { kubectl, kubeconfigFor });
    return {
      namespaces,
      operator,
      stop: async () => {
        await operator.stop();
        await supervisor.close();
      },
    };
  } catch (error) {
    await supervisor.close();
    throw error;
  }
}
