/** What a rollout of the limiters looks like to the API server: pod by pod another one, of another template. */
import { type PodSpec, type RegisteredPod, registerPods } from '@chaosdemo/testbed';
import type { Surroundings } from '../../kit/world.ts';

const rolledOut = new WeakMap<Surroundings, RegisteredPod[]>();

/** Replaces the pods of the limiters one after the other; behind them stand the same processes. */
export async function rollOut(
  environment: Surroundings,
  template: string,
  { halfway = async () => {} }: { halfway?: () => Promise<void> } = {},
): Promise<void> {
  const { controlPlane, limiters, pods } = environment;
  const before = rolledOut.get(environment) ?? pods.slice(0, limiters.length);
  const after: RegisteredPod[] = [];
  for (const [index, old] of before.entries()) {
    const spec: PodSpec = {
      ...old.spec,
      name: `ratelimiter-${template}-${index}`,
      labels: { ...old.spec.labels, 'pod-template-hash': template },
    };
    await old.delete();
    after.push(...(await registerPods(controlPlane.kubectl, [spec])));
    if (index === 0) await halfway();
  }
  rolledOut.set(environment, after);
}
