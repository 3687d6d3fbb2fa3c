/** A real kube-apiserver, with the operator as a process under its own ServiceAccount. */
import { KubeClient } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import { type StageStart, serveCluster } from '../../local/environment.ts';
import { startOperator } from '../../local/operator.ts';
import type { ApiServer } from './api-server.ts';

export async function realApiServer(start: StageStart): Promise<ApiServer> {
  const { supervisor } = start;
  const api = await serveCluster(start);
  const { controlPlane } = api;
  const client = new KubeClient(loadKubeConfig(controlPlane.kubectl.kubeconfig));
  return {
    ...api,
    client,
    kubectl: controlPlane.kubectl,
    async operate(args, signal) {
      const operator = await startOperator({ controlPlane, supervisor }, { signal, args });
      const { process } = operator;
      return {
        described: `started under its own ServiceAccount; log: ${process.logFile}`,
        failed: process.exited.then(() => process.exitError()),
        stop: async () => await operator.stop(),
      };
    },
    async stop() {
      await client.close();
      await api.stop();
    },
  };
}
