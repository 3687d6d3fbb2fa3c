/** The Kubernetes API in the memory of this process, and the operator in it: nothing has to be built. */
import { join } from 'node:path';
import { MemoryApi } from '@chaosdemo/kube-runtime/memory';
import { runningPod } from '@chaosdemo/testbed';
import pino from 'pino';
import { ENABLED, NAMESPACE, type StagePod, type StageStart } from '../../local/environment.ts';
import type { Target } from '../../local/target.ts';
import { readConfig } from '../../operator/config.ts';
import { createLogger } from '../../operator/log.ts';
import { serveInOneThread } from '../../operator/serve.ts';
import { admission } from './admission.ts';
import type { ApiServer, RunningOperator } from './api-server.ts';

export async function memoryApiServer({ supervisor }: Pick<StageStart, 'supervisor'>): Promise<ApiServer> {
  const client = new MemoryApi(admission());
  return {
    client,
    vital: [],
    register: async (target) => await register(client, target),
    operate: async (args) => operate(client, args, supervisor.temporaryFolder('operator')),
    stop: async () => await client.close(),
  };
}

async function register(client: MemoryApi, target: Target): Promise<StagePod[]> {
  const core = '/api/v1/namespaces';
  const post = async (path: string, body: unknown): Promise<unknown> =>
    await client.request({ method: 'POST', path, body });
  await post(core, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: NAMESPACE, labels: ENABLED },
  });
  for (const object of target.objects as readonly { readonly kind: string }[]) {
    await post(`${core}/${NAMESPACE}/${object.kind.toLowerCase()}s`, object);
  }
  const pods = `${core}/${NAMESPACE}/pods`;
  for (const pod of target.pods) await post(pods, runningPod(pod));
  return target.pods.map((pod) => ({
    async setReady(isReady) {
      const { status } = runningPod(pod, isReady);
      const contentType = 'application/merge-patch+json';
      const path = `${pods}/${pod.name}/status`;
      await client.request({ method: 'PATCH', path, contentType, body: { status } });
    },
  }));
}

function operate(client: MemoryApi, args: readonly string[], folder: string): RunningOperator {
  const logFile = join(folder, 'operator.log');
  const config = readConfig(
    ['--leader-election=false', '--http-host=127.0.0.1', '--http-port=0', '--identity=operator', ...args],
    {},
  );
  if (config === 'help') throw new Error('no --help flag is given');
  const { identity, logLevel } = config;
  const logger = createLogger(
    { level: logLevel, identity },
    pino.destination({ dest: logFile, sync: true, append: true }),
  );
  const stop = new AbortController();
  const running = serveInOneThread(config, client, logger, stop.signal);
  const failed = Promise.withResolvers<Error>();
  running.catch((error: unknown) => {
    logger.fatal({ err: error }, 'the operator cannot continue');
    failed.resolve(error instanceof Error ? error : new Error(String(error)));
  });
  return {
    described: `runs in this process, with the Kubernetes API in memory; log: ${logFile}`,
    failed: failed.promise,
    async stop() {
      stop.abort(new Error('the run has ended'));
      await running.catch(() => undefined);
    },
  };
}
