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

/** For what goes on beside the reconciles: leases, events, evidence, looking whether namespaces still take part. */
const FURTHER_CONNECTIONS = 12;

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
  const explained = await explainedBy(config.diagnosisProfiles, logger);
  if (explained === undefined) return 1;
  const client = new KubeClient(loadKubeConfig(config.kubeconfig), {
    userAgent: 'chaosdemo-operator',
    connections: config.concurrency + FURTHER_CONNECTIONS,
  });
  try {
    await runOperator(config, client, logger, stop.signal, explained.subjects, explained.profiles);
    return 0;
  } catch (error) {
    logger.fatal({ err: error }, 'the operator cannot go on');
    return 1;
  } finally {
    await client.close();
  }
}

/** The subjects, and who explains them. */
interface Explained {
  readonly subjects: readonly Subject<Cluster>[];
  /** Names of the profiles. */
  readonly profiles: readonly string[];
}

/** The subjects, explained by the profiles of a file; undefined where it cannot be used, and the log says why. */
async function explainedBy(file: string | undefined, logger: Logger): Promise<Explained | undefined> {
  if (file === undefined) return { subjects: SUBJECTS, profiles: [] };
  // Not at rest: most operators have no models.
  const { providersOf, readProfiles } = await import('../diagnosis/models/index.ts');
  try {
    const profiles = createDiagnosisProfiles(providersOf(await readProfiles(file), Date.now));
    logger.info({ profiles: profiles.names }, 'profiles that may diagnose');
    return { subjects: subjectsExplainedBy(profiles), profiles: profiles.names };
  } catch (error) {
    logger.fatal({ err: error }, 'the file of --diagnosis-profiles cannot be used');
    return undefined;
  }
}

process.exitCode = await main();
