/** The profiles that may diagnose: the rules, and the models of a file. Code for models is loaded only if there are any. */
import { createDiagnosisProfiles, type DiagnosisProfile } from '../diagnosis/index.ts';
import type { Logger } from './log.ts';

/** The model profiles in a file; without a file, none. @throws if the file cannot be used */
export async function readModels(
  file: string | undefined,
  logger: Logger,
): Promise<readonly DiagnosisProfile[]> {
  if (file === undefined) return [];
  const { readProfiles } = await import('../diagnosis/models/index.ts');
  const models = await readProfiles(file);
  logger.info({ profiles: models.map(({ name }) => name) }, 'profiles that may diagnose');
  return models;
}

/** The rules, and these models. */
export async function profilesWith(models: readonly DiagnosisProfile[]) {
  if (models.length === 0) return createDiagnosisProfiles();
  const { providersOf } = await import('../diagnosis/models/index.ts');
  return createDiagnosisProfiles(providersOf(models));
}
