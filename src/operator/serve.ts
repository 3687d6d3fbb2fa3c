/** The operator with its subjects and the profiles of its configuration. */
import type { KubeApi } from '@chaosdemo/kube-runtime';
import { SUBJECTS, subjectsExplainedBy } from '../subjects/index.ts';
import { Cells } from './cells/cells.ts';
import type { Config } from './config.ts';
import type { Logger } from './log.ts';
import { runOperator } from './operator.ts';
import { profilesWith, readModels } from './profiles.ts';

/**
 * Runs until `signal` aborts and shutdown is complete, with the subjects in threads of their own.
 * @throws if it cannot start or go on
 */
export async function serve(
  config: Config,
  client: KubeApi,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const models = await readModels(config.diagnosisProfiles, logger);
  const { faultCooldownMs, identity, logLevel } = config;
  const cells = new Cells(logger, { faultCooldownMs, identity, logLevel, models });
  try {
    await runOperator(config, client, logger, signal, cells.subjects(SUBJECTS));
  } finally {
    await cells.close();
  }
}

/** As {@link serve}, with the subjects in this thread: for a run on the machine of its user. */
export async function serveInOneThread(
  config: Config,
  client: KubeApi,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const profiles = await profilesWith(await readModels(config.diagnosisProfiles, logger));
  await runOperator(config, client, logger, signal, subjectsExplainedBy(profiles));
}
