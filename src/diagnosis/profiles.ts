/**
 * The profiles that `spec.diagnosisProfile` may name. Each answer is checked before it is graded and reported. An error
 * of a provider becomes a message, never an exception.
 */
import { diagnosisSentence, messageOf, printable, truncate } from '../api/index.ts';
import { type EvidenceBundle, relativeToFirst } from '../evidence/index.ts';
import { type CheckedAnswer, checkAnswer } from './check-answer.ts';
import type {
  DiagnosisProvider,
  DiagnosisRequest,
  DiagnosisResult,
  ProviderAnswer,
  ProviderUsage,
} from './provider.ts';
import { diagnosisOf } from './render.ts';

/** The result of querying one provider. */
export type ProviderResult =
  | (Omit<ProviderAnswer, 'answer'> & CheckedAnswer)
  /** There is no answer: it failed, refused, was too late, or was stopped. */
  | { readonly failed: string; readonly usage?: ProviderUsage };

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
    const response = await provider.answer(relativeToFirst(bundle), signal);
    if ('failed' in response) return { ...response, failed: failureText(response.failed) };
    const { answer, ...rest } = response;
    return { ...rest, ...checkAnswer(answer, bundle) };
  } catch (error) {
    return {
      failed: signal.aborted ? 'it was stopped before it had answered' : failureText(messageOf(error)),
    };
  }
}

function failureText(message: string): string {
  return truncate(printable(message), FAILURE_WORDS);
}

/** Length of a provider's failure message, in characters. */
const FAILURE_WORDS = 256;
/** Length of the model name given by a server, in the message of a rejected answer. */
const MODEL_WORDS = 64;

export interface DiagnosisProfiles {
  /** Queries the provider of a profile about the evidence, and grades the answer. Never rejects. */
  diagnose(profile: string, request: DiagnosisRequest, signal: AbortSignal): Promise<DiagnosisResult>;
}

/**
 * @example
 * const profiles = createDiagnosisProfiles({ rules: rulesProvider });
 * const { diagnosis, message } = await profiles.diagnose('rules', request, signal);
 */
export function createDiagnosisProfiles(
  providers: Readonly<Record<string, DiagnosisProvider>>,
): DiagnosisProfiles {
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
      if ('rejected' in result) {
        const by = model === undefined ? '' : ` (${truncate(printable(model), MODEL_WORDS)})`;
        return { message: `profile "${profile}"${by}: its answer was rejected: ${result.rejected}` };
      }
      const source = { profile, provider: provider.name, promptVersion, model };
      const diagnosis = diagnosisOf(result.answer, request, source);
      const texts = diagnosis.chain.map(({ text }) => text);
      return { diagnosis, message: diagnosisSentence(diagnosis, texts) };
    },
  };
}
