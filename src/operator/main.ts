/** The operator's process: command line, signals, exit status. */
import { setFlagsFromString } from 'node:v8';
import { KubeClient } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import { ownSettings } from '@chaosdemo/settings';
import { OPERATOR, readConfig } from './config.ts';
import { createLogger } from './log.ts';
import { serve } from './serve.ts';

/** Connections in addition to those of the reconciles: leases, events, evidence, checks of namespaces. */
const FURTHER_CONNECTIONS = 12;

// Grows the heap in small steps, rather than to several times the live size: an operator mostly waits for the API
// server and its subjects, and has time to collect more often.
setFlagsFromString('--optimize-for-size');

async function main(): Promise<number> {
  const config = ownSettings(OPERATOR, readConfig);
  const logger = createLogger({ level: config.logLevel, identity: config.identity });
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      logger.info({ signal: name }, 'stopping on request');
      stop.abort(new Error(name));
    });
  }
  const client = new KubeClient(loadKubeConfig(config.kubeconfig), {
    userAgent: 'chaosdemo-operator',
    connections: config.concurrency + FURTHER_CONNECTIONS,
  });
  try {
    await serve(config, client, logger, stop.signal);
    return 0;
  } catch (error) {
    logger.fatal({ err: error }, 'the operator cannot continue');
    return 1;
  } finally {
    await client.close();
  }
}

process.exitCode = await main();
