/** The operator in this very process, with the rights that ship: for tests that look at its heap, sockets and timers. */

import { KubeClient } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import type { ControlPlane } from '@chaosdemo/testbed';
import type { DestinationStream } from 'pino';
import { NO_COOLDOWN } from '../../src/local/operator.ts';
import { readConfig } from '../../src/operator/config.ts';
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
  log: DestinationStream = { write: () => undefined },
): Promise<OperatorHere> {
  const token = await controlPlane.kubectl.serviceAccountToken(system, OPERATOR_ACCOUNT, 24 * 3600);
  const kubeconfig = await controlPlane.kubeconfigFor(`here-${system}`, token, system);
  const flags = [`--namespace=${system}`, `--watch-namespaces=${namespaces.join(',')}`, '--identity=here'];
  const config = readConfig([...flags, NO_COOLDOWN, '--http-host=127.0.0.1', '--http-port=0'], {});
  if (config === 'help') throw new Error('no --help flag was given');
  const client = new KubeClient(loadKubeConfig(kubeconfig), { connections: config.concurrency + 8 });
  const stop = new AbortController();
  const logger = createLogger({ level: 'info', identity: config.identity }, log);
  const run = async (): Promise<void> => {
    try {
      await runOperator(config, client, logger, stop.signal, SUBJECTS);
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
