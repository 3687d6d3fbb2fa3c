/**
 * The profiles that `spec.diagnosisProfile` may name. Each answer is checked before it is graded and reported. An error
 * of a provider becomes a message, never an exception.
 */
import { diagnosedClass, LIMITS, messageOf, printable, RULES_PROFILE, truncate } from '../api/index.ts';
import { type DiagnosisReport, type EvidenceBundle, relativeToFirst } from '../evidence/index.ts';
import { type CheckedAnswer, checkAnswer } from './check-answer.ts';
import type { DiagnosisProvider, DiagnosisRequest, ProviderAnswer } from './provider.ts';
import { diagnosisOf } from './render.ts';
import { rulesProvider } from './rules/index.ts';

/** The result of querying one provider. */
export type ProviderResult =
  | (Omit<ProviderAnswer, 'answer'> & CheckedAnswer)
  /** There is no answer: it failed, refused, was too late, or was stopped. */
  | { readonly failed: string };

/**
 * Queries a provider, and checks its answer. The evidence is given with shifted times: times of a bundle may count from
 * the fault, which would reveal it. Ids stay, so that its citations are those of `bundle`. Never rejects.
 */
export async function queryProvider(
  provider: DiagnosisProvider,
  bundle: EvidenceBundle,
  signal: AbortSignal,
): Promise<ProviderResult> {
  try {
    const { answer, model, promptVersion } = await provider.answer(relativeToFirst(bundle), signal);
    const name = truncate(printable(model ?? ''), MODEL_WORDS);
    return { promptVersion, ...(name !== '' && { model: name }), ...checkAnswer(answer, bundle) };
  } catch (error) {
    const why = signal.aborted ? 'it was stopped before it had answered' : messageOf(error);
    return { failed: truncate(printable(why), FAILURE_WORDS) };
  }
}

/** Length of a provider's failure message, in characters. */
const FAILURE_WORDS = 256;
/** Length of the model name given by a server, in characters. */
const MODEL_WORDS = 128;

export interface DiagnosisProfiles {
  /** Queries the provider of a profile about the evidence, and grades the answer. Never rejects. */
  diagnose(profile: string, request: DiagnosisRequest, signal: AbortSignal): Promise<DiagnosisReport>;
}

/**
 * The rules, and these models by the names of their profiles.
 * @example
 * const profiles = createDiagnosisProfiles();
 * const { diagnosis, message } = await profiles.diagnose('rules', request, signal);
 */
export function createDiagnosisProfiles(
  models: Readonly<Record<string, DiagnosisProvider>> = {},
): DiagnosisProfiles {
  const providers: Record<string, DiagnosisProvider> = { ...models, [RULES_PROFILE]: rulesProvider };
  const names = Object.keys(providers).sort();
  return {
    async diagnose(profile, request, signal) {
      const provider = Object.hasOwn(providers, profile) ? providers[profile] : undefined;
      if (provider === undefined) {
        return {
          message: `this operator has no profile "${profile}"; set spec.diagnosisProfile to one of: ${names.join(', ')}`,
        };
      }
      const { events, series } = request.bundle;
      if (series.length === 0 && events.length === 0)
        return { message: 'nothing was seen that could be explained' };
      const result = await queryProvider(provider, request.bundle, signal);
      if ('failed' in result) return { message: `profile "${profile}" failed: ${result.failed}` };
      const { model, promptVersion } = result;
      const origin = {
        provider: provider.name,
        profile,
        promptVersion,
        ...(model !== undefined && { model }),
      };
      if ('rejected' in result) {
        const by = model === undefined ? '' : ` (${model})`;
        return { message: `profile "${profile}"${by}: its answer was rejected: ${result.rejected}` };
      }
      const diagnosis = diagnosisOf(result.answer, request, origin);
      const steps = diagnosis.chain.map(({ text }) => text).join(' ');
      const message = `${profile}: ${diagnosedClass(diagnosis)}: ${steps}`;
      return { diagnosis, message: truncate(message, LIMITS.message) };
    },
  };
}
