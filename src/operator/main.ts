/** The operator's process: command line, signals, exit status. */
import { setFlagsFromString } from 'node:v8';
import { KubeClient } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import { createDiagnosisProfiles, type DiagnosisProvider, rulesProvider } from '../diagnosis/index.ts';
import { ownSettings } from '../settings/settings.ts';
import { subjectsExplainedBy } from '../subjects/index.ts';
import { OPERATOR, readConfig } from './config.ts';
import { createLogger, type Logger } from './log.ts';
import { runOperator } from './operator.ts';

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
  const models = await modelsOf(config.diagnosisProfiles, logger);
  if (models === undefined) return 1;
  const client = new KubeClient(loadKubeConfig(config.kubeconfig), {
    userAgent: 'chaosdemo-operator',
    connections: config.concurrency + FURTHER_CONNECTIONS,
  });
  const profiles = createDiagnosisProfiles({ rules: rulesProvider, ...models });
  try {
    await runOperator(config, client, logger, stop.signal, subjectsExplainedBy(profiles), profiles);
    return 0;
  } catch (error) {
    logger.fatal({ err: error }, 'the operator cannot continue');
    return 1;
  } finally {
    await client.close();
  }
}

/** The providers for the model profiles in a file; undefined if the file cannot be used (the reason is logged). */
async function modelsOf(
  file: string | undefined,
  logger: Logger,
): Promise<Readonly<Record<string, DiagnosisProvider>> | undefined> {
  if (file === undefined) return {};
  // Loaded on demand: most operators have no models.
  const { providersOf, readProfiles } = await import('../diagnosis/models/index.ts');
  try {
    const profiles = await readProfiles(file);
    logger.info({ profiles: profiles.map(({ name }) => name) }, 'profiles that may diagnose');
    return providersOf(profiles, Date.now);
  } catch (error) {
    logger.fatal({ err: error }, 'the file of --diagnosis-profiles cannot be used');
    return undefined;
  }
}

process.exitCode = await main();
