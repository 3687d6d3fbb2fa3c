/** The profiles that may diagnose: the rules, and the models of a file. Code for models is loaded only if there are any. */
import {
  createDiagnosisProfiles,
  type DiagnosisProfile,
  type DiagnosisProfiles,
  rulesProvider,
} from '../diagnosis/index.ts';
import type { Logger } from './log.ts';

/** The model profiles in a file; without a file, none. @throws if the file cannot be used */
export async function readModels(
  file: string | undefined,
  logger: Logger,
): Promise<readonly DiagnosisProfile[]> {
  if (file === undefined) return [];
  const { readProfiles } = await import('../diagnosis/models/index.ts');
  try {
    const models = await readProfiles(file);
    logger.info({ profiles: models.map(({ name }) => name) }, 'profiles that may diagnose');
    return models;
  } catch (error) {
    throw new Error('the file of --diagnosis-profiles cannot be used', { cause: error });
  }
}

/** The rules, and these models. */
export async function profilesWith(models: readonly DiagnosisProfile[]): Promise<DiagnosisProfiles> {
  if (models.length === 0) return createDiagnosisProfiles({ rules: rulesProvider });
  const { providersOf } = await import('../diagnosis/models/index.ts');
  return createDiagnosisProfiles(providersOf(models));
}
