/** A control plane that tests, or programs of tests, start for themselves. */
import { fileURLToPath } from 'node:url';
import { type KubeApi, KubeClient } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import { type ControlPlane, type StepOptions, startControlPlane } from '@chaosdemo/testbed';
import { ensureControlPlaneBinaries } from '../../tools/binaries/control-plane.ts';

const folder = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

/**
 * Starts one, and installs what people do: the ClusterRoles serve the operators of all tests; without controllers the
 * rest does nothing. Nothing is left if it throws.
 */
export async function startOwnControlPlane(options: StepOptions): Promise<ControlPlane> {
  const { signal } = options;
  const binaries = await ensureControlPlaneBinaries(options);
  const controlPlane = await startControlPlane({ binaries, ...(signal && { signal }) });
  try {
    const { kubectl } = controlPlane;
    await kubectl.applyCustomResourceDefinitions(folder('crds'));
    await kubectl.run(['apply', '--server-side', '--force-conflicts', '-k', folder('manifests/operator')]);
    return controlPlane;
  } catch (error) {
    await controlPlane.stop();
    throw error;
  }
}

/** Lets `act` work in a world that `start` makes on one, with a client of its admin; then ends all of it. */
export async function inOwnWorld<W extends { stop(): Promise<void> }>(
  options: StepOptions & { readonly connections: number },
  start: (controlPlane: ControlPlane) => Promise<W>,
  act: (world: W, client: KubeApi) => Promise<number>,
): Promise<number> {
  const controlPlane = await startOwnControlPlane(options);
  try {
    const world = await start(controlPlane);
    const { connections } = options;
    const config = loadKubeConfig(controlPlane.kubeconfig);
    const client = new KubeClient(config, { connections, timeoutMs: 60_000 });
    try {
      return await act(world, client);
    } finally {
      await client.close();
      await world.stop();
    }
  } finally {
    await controlPlane.stop();
  }
}
