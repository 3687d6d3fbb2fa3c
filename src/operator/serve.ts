/** The operator with its subjects and the profiles of its configuration. */
import type { KubeApi } from '@chaosdemo/kube-runtime';
import { createDiagnosisProfiles, type DiagnosisProvider, rulesProvider } from '../diagnosis/index.ts';
import { subjectsExplainedBy } from '../subjects/index.ts';
import type { Config } from './config.ts';
import type { Logger } from './log.ts';
import { runOperator } from './operator.ts';

/** Runs until `signal` aborts and shutdown is complete. @throws if it cannot start or go on */
export async function serve(
  config: Config,
  client: KubeApi,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const models = await modelsOf(config.diagnosisProfiles, logger);
  const profiles = createDiagnosisProfiles({ rules: rulesProvider, ...models });
  await runOperator(config, client, logger, signal, subjectsExplainedBy(profiles), profiles);
}

/** The providers for the model profiles in a file. @throws if the file cannot be used */
async function modelsOf(
  file: string | undefined,
  logger: Logger,
): Promise<Readonly<Record<string, DiagnosisProvider>>> {
  if (file === undefined) return {};
  // Loaded on demand: most operators have no models.
  const { providersOf, readProfiles } = await import('../diagnosis/models/index.ts');
  try {
    const profiles = await readProfiles(file);
    logger.info({ profiles: profiles.map(({ name }) => name) }, 'profiles that may diagnose');
    return providersOf(profiles, Date.now);
  } catch (error) {
    throw new Error('the file of --diagnosis-profiles cannot be used', { cause: error });
  }
}
