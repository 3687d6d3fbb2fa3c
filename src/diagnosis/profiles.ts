/**
 * The profiles that `spec.diagnosisProfile` may name. Each query is bounded in time, and its answer is checked before
 * it is graded and reported. An error of a provider becomes a message, never an exception.
 */
import { TIMED_OUT, within } from '@chaosdemo/redis-faults/waiting';
import { diagnosisSentence, messageOf, printable, truncate } from '../api/index.ts';
import { type EvidenceBundle, relativeToFirst } from '../evidence/index.ts';
import type { DiagnosisAnswer } from './answer.ts';
import { checkAnswer } from './check-answer.ts';
import type { Truth } from './grade.ts';
import type { DiagnosisProvider, DiagnosisRequest, DiagnosisResult, ProviderUsage } from './provider.ts';
import { diagnosisOf, gradeText } from './render.ts';

/** How long a provider may take, retries included; the framework waits a little longer. Milliseconds. */
export const PROVIDER_TIMEOUT_MS = 55_000;

/** The result of querying one provider. */
export type ProviderResult =
  | {
      readonly answer: DiagnosisAnswer;
      readonly promptVersion: string;
      readonly model?: string;
      readonly usage?: ProviderUsage;
    }
  /** There is an answer, but it is invalid. */
  | { readonly rejected: string; readonly model?: string; readonly usage?: ProviderUsage }
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
  timeoutMs = PROVIDER_TIMEOUT_MS,
): Promise<ProviderResult> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const stop = AbortSignal.any([signal, timeout]);
  const late = `it did not answer within ${Math.round(timeoutMs / 1000)} s`;
  try {
    const response = await within(provider.answer(relativeToFirst(bundle), stop), timeoutMs, signal);
    if (response === TIMED_OUT) return { failed: late };
    if ('failed' in response)
      return { failed: truncate(printable(response.failed), FAILURE_WORDS), usage: response.usage };
    const { answer, model, promptVersion, usage } = response;
    const checked = checkAnswer(answer, bundle);
    const of = { ...(model !== undefined && { model }), ...(usage && { usage }) };
    return 'rejected' in checked
      ? { rejected: checked.rejected, ...of }
      : { answer: checked.answer, promptVersion, ...of };
  } catch (error) {
    if (signal.aborted) return { failed: 'it was stopped before it had answered' };
    if (timeout.aborted) return { failed: late };
    return { failed: truncate(printable(messageOf(error)), FAILURE_WORDS) };
  }
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
  timeoutMs = PROVIDER_TIMEOUT_MS,
): DiagnosisProfiles {
  const names = Object.keys(providers).sort();
  return {
    async diagnose(profile, { bundle, pods, scenario, truth }, signal) {
      const provider = Object.hasOwn(providers, profile) ? providers[profile] : undefined;
      if (provider === undefined) {
        return {
          message: `this operator has no profile "${profile}"; set spec.diagnosisProfile to one of: ${names.join(', ')}`,
        };
      }
      if (bundle.series.length === 0 && bundle.events.length === 0) {
        return { message: 'nothing was seen that could be explained' };
      }
      const answered = await queryProvider(provider, bundle, signal, timeoutMs);
      const { usage } = answered;
      const cost = usage && { usage };
      // Only after the answer is it compared with the truth.
      const grade = truth && 'answer' in answered && gradeText(answered.answer, truth, bundle);
      if ('failed' in answered)
        return { message: `profile "${profile}" failed: ${answered.failed}`, ...cost };
      if ('rejected' in answered) {
        const { model, rejected } = answered;
        const by = model === undefined ? '' : ` (${truncate(printable(model), MODEL_WORDS)})`;
        return { message: `profile "${profile}"${by}: its answer was rejected: ${rejected}`, ...cost };
      }
      const { answer, model, promptVersion } = answered;
      const source = { scenario, profile, provider: provider.name, promptVersion, model, pods };
      const diagnosis = diagnosisOf(answer, bundle, source);
      if (grade) diagnosis.grade = grade;
      if (truth && isInStore(truth, bundle)) delete diagnosis.recommendation;
      const texts = diagnosis.chain.map(({ text }) => text);
      return { diagnosis, message: diagnosisSentence(diagnosis, texts), ...cost };
    },
  };
}

/**
 * Whether a fault was injected into the store. The provider does not know that, so its advice is to find that fault, or
 * a cause that the fault only looks like.
 */
function isInStore(truths: readonly Truth[], { components }: EvidenceBundle): boolean {
  return components.some(
    ({ name, role }) => role === 'store' && truths.some((truth) => truth.components.includes(name)),
  );
}
