/** The operator's process: command line, signals, exit status. */
import { setFlagsFromString } from 'node:v8';
import type { Subject } from '../demo/subject.ts';
import { createDiagnosisProfiles } from '../diagnosis/index.ts';
import { KubeClient } from '../kube/client.ts';
import { loadKubeConfig } from '../kube/kube-config.ts';
import { ownSettings } from '../settings/settings.ts';
import type { Cluster } from '../subjects/cluster.ts';
import { SUBJECTS, subjectsExplainedBy } from '../subjects/index.ts';
import { OPERATOR, readConfig } from './config.ts';
import { createLogger, type Logger } from './log.ts';
import { runOperator } from './operator.ts';

/** For what goes on beside the reconciles: leases, events, looking whether namespaces still take part. */
const FURTHER_CONNECTIONS = 8;

// The heap grows by little at a time, rather than to several times of what is alive: an operator waits
// for the API server and for its subjects, and has the time to collect more often.
setFlagsFromString('--optimize-for-size');

async function main(): Promise<number> {
  const config = ownSettings(OPERATOR, readConfig);
  const logger = createLogger({ level: config.logLevel, identity: config.identity });
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      logger.info({ signal: name }, 'asked to stop');
      stop.abort(new Error(name));
    });
  }
  const subjects = await explained(config.diagnosisProfiles, logger);
  if (subjects === undefined) return 1;
  const client = new KubeClient(loadKubeConfig(config.kubeconfig), {
    userAgent: 'chaosdemo-operator',
    connections: config.concurrency + FURTHER_CONNECTIONS,
  });
  try {
    await runOperator(config, client, logger, stop.signal, subjects);
    return 0;
  } catch (error) {
    logger.fatal({ err: error }, 'the operator cannot go on');
    return 1;
  } finally {
    await client.close();
  }
}

/** The subjects, explained by the profiles of a file; undefined where it cannot be used, and the log says why. */
async function explained(
  file: string | undefined,
  logger: Logger,
): Promise<readonly Subject<Cluster>[] | undefined> {
  if (file === undefined) return SUBJECTS;
  // Not at rest: most operators have no models.
  const { providersOf, readProfiles } = await import('../diagnosis/models/index.ts');
  try {
    const profiles = createDiagnosisProfiles(providersOf(await readProfiles(file), Date.now));
    logger.info({ profiles: profiles.names }, 'profiles that may diagnose');
    return subjectsExplainedBy(profiles);
  } catch (error) {
    logger.fatal({ err: error }, 'the file of --diagnosis-profiles cannot be used');
    return undefined;
  }
}

process.exitCode = await main();
