/** The operator in this very process, with the rights that ship: for tests that look at its heap, sockets and timers. */

import { type KubeApi, KubeClient } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import type { ControlPlane } from '@chaosdemo/testbed';
import type { DestinationStream } from 'pino';
import { NO_COOLDOWN } from '../../src/local/operator.ts';
import { type Config, readConfig } from '../../src/operator/config.ts';
import { createLogger } from '../../src/operator/log.ts';
import { runOperator } from '../../src/operator/operator.ts';
import { SUBJECTS } from '../../src/subjects/index.ts';
import { OPERATOR_ACCOUNT, type OperatorPlace } from './operator.ts';

/** One that runs here. */
export interface OperatorHere {
  /** Rejects where it cannot go on; resolves when it has stopped. */
  readonly ended: Promise<void>;
  /** Stops it in order. */
  stop(): Promise<void>;
}

/** Starts it at a place that `prepareOperator` has made. `log`: where its lines go; default: nowhere. */
export async function startOperatorHere(
  { namespaces, system }: OperatorPlace,
  controlPlane: Pick<ControlPlane, 'kubeconfigFor' | 'kubectl'>,
  log?: DestinationStream,
): Promise<OperatorHere> {
  const token = await controlPlane.kubectl.serviceAccountToken(system, OPERATOR_ACCOUNT, 24 * 3600);
  const kubeconfig = await controlPlane.kubeconfigFor(`here-${system}`, token, system);
  const open = ({ concurrency }: Config): KubeApi =>
    new KubeClient(loadKubeConfig(kubeconfig), { connections: concurrency + 8 });
  const flags = [`--namespace=${system}`, `--watch-namespaces=${namespaces.join(',')}`];
  return operateHere(open, flags, SUBJECTS, log);
}

/** Starts it over any API, which it closes in the end. */
export function operateHere(
  open: (config: Config) => KubeApi,
  flags: readonly string[],
  subjects: Parameters<typeof runOperator>[4],
  log: DestinationStream = { write: () => undefined },
): OperatorHere {
  const fixed = [NO_COOLDOWN, '--identity=here', '--http-host=127.0.0.1', '--http-port=0'];
  const config = readConfig([...flags, ...fixed], {});
  if (config === 'help') throw new Error('no --help flag was given');
  const client = open(config);
  const stop = new AbortController();
  const logger = createLogger({ level: 'info', identity: config.identity }, log);
  const run = async (): Promise<void> => {
    try {
      await runOperator(config, client, logger, stop.signal, subjects);
    } finally {
      await client.close();
    }
  };
  const ended = run();
  // A caller that awaits `ended` gets the error.
  ended.catch(() => undefined);
  return {
    ended,
    stop: async () => {
      stop.abort(new Error('the test is over'));
      await ended;
    },
  };
}
