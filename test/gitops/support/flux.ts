/** Flux's source- and kustomize-controller as processes, over the API server of a local environment. */

import { join } from 'node:path';
import { freePort, type OwnedProcess } from '@chaosdemo/testbed';
import { crdsOf, tool } from '../../kit/program.ts';
import { until } from '../../kit/until.ts';
import type { Surroundings } from '../../kit/world.ts';

export const FLUX_NAMESPACE = 'flux-system';

/** Installs the CRDs and starts both; resolves when both say they are ready. They end with the environment. */
export async function startFlux(environment: Surroundings): Promise<void> {
  const { controlPlane, supervisor } = environment;
  const { kubectl } = controlPlane;
  await kubectl.createNamespace(FLUX_NAMESPACE);
  const folder = supervisor.temporaryFolder('flux');

  const start = async (name: 'source-controller' | 'kustomize-controller', args: string[]): Promise<void> => {
    await kubectl.applyCustomResourceDefinitions(await crdsOf(name));
    const health = await freePort();
    const process = await supervisor.start({
      name,
      command: await tool(name),
      args: [
        '--watch-all-namespaces=false',
        '--enable-leader-election=false',
        '--events-addr=',
        '--interval-jitter-percentage=0',
        `--metrics-addr=127.0.0.1:${await freePort()}`,
        `--health-addr=127.0.0.1:${health}`,
        ...args,
      ],
      env: {
        PATH: globalThis.process.env['PATH'],
        HOME: folder,
        KUBECONFIG: controlPlane.kubeconfig,
        RUNTIME_NAMESPACE: FLUX_NAMESPACE,
      },
      logFile: join(folder, `${name}.log`),
    });
    await untilReady(process, health);
  };
  const storage = await freePort();
  await start('source-controller', [
    `--storage-path=${supervisor.temporaryFolder('flux-storage')}`,
    `--storage-addr=127.0.0.1:${storage}`,
    `--storage-adv-addr=127.0.0.1:${storage}`,
  ]);
  await start('kustomize-controller', ['--http-retry=1', '--requeue-dependency=1s']);
}

async function untilReady(process: OwnedProcess, port: number): Promise<void> {
  await until(
    async () => {
      if (process.exit) return process;
      return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
    },
    { what: `${process.name} to be ready` },
  );
  if (process.exit) throw process.exitError();
}
