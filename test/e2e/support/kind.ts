import type { Kind } from '../../../tools/cluster/cluster.ts';
import type { ProvidedCluster } from '../global-setup.ts';

/** The cluster of the tests, for what loads images into it. */
export function kindOf({ engine, engineEnv, kind, name }: ProvidedCluster): Kind {
  return { binary: kind, name, engine: { name: engine, env: { ...process.env, ...engineEnv } } };
}
