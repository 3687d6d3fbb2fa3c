/**
 * The profiles that `spec.diagnosis.profile` may name. One is asked within a bounded time, its answer is checked, and
 * only then graded and told. What a provider does wrong becomes a message, never an error.
 */
import { diagnosisSentence, printable, truncate } from '../api/index.ts';
import type { EvidenceBundle } from '../evidence/index.ts';
import type { DiagnosisAnswer } from './answer.ts';
import { checkAnswer, rejectionText } from './check-answer.ts';
import { gradeAnswer } from './grade.ts';
import type { DiagnosisProvider, DiagnosisRequest, DiagnosisResult, ProviderUsage } from './provider.ts';
import { diagnosisStatus, gradeStatus } from './render.ts';

/** How long a provider may take, whatever it does within that; the framework waits a little longer. Milliseconds. */
export const PROVIDER_TIMEOUT_MS = 55_000;

/** What came of asking one provider. */
export type Answered =
  | {
      readonly answer: DiagnosisAnswer;
      readonly promptVersion: string;
      readonly model?: string;
      readonly usage?: ProviderUsage;
    }
  /** There is an answer, and it is not to be believed. */
  | { readonly rejected: readonly string[]; readonly model?: string; readonly usage?: ProviderUsage }
  /** There is none: it failed, refused, was too late, or was stopped. */
  | { readonly failed: string };

/** Asks a provider, and checks what it answers. Never rejects. */
export async function ask(
  provider: DiagnosisProvider,
  bundle: EvidenceBundle,
  signal: AbortSignal,
  timeoutMs = PROVIDER_TIMEOUT_MS,
): Promise<Answered> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const stop = AbortSignal.any([signal, timeout]);
  try {
    const { answer, model, promptVersion, usage } = await unlessAborted(provider.answer(bundle, stop), stop);
    const checked = checkAnswer(answer, bundle);
    const of = { ...(model !== undefined && { model }), ...(usage && { usage }) };
    return 'rejected' in checked
      ? { rejected: checked.rejected, ...of }
      : { answer: checked.answer, promptVersion, ...of };
  } catch (error) {
    if (signal.aborted) return { failed: 'it was stopped before it had answered' };
    if (timeout.aborted) return { failed: `it did not answer within ${Math.round(timeoutMs / 1000)} s` };
    const reason = error instanceof Error ? error.message : String(error);
    return { failed: truncate(printable(reason), 256) };
  }
}

export interface DiagnosisProfiles {
  /** Names of the profiles. */
  readonly names: readonly string[];
  /** Has the provider of a profile explain the evidence, and grades that. Never rejects. */
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
    names,
    async diagnose(profile, { bundle, pods, scenario, truth }, signal) {
      const provider = Object.hasOwn(providers, profile) ? providers[profile] : undefined;
      if (provider === undefined) {
        return {
          message: `this operator has no profile "${profile}"; set spec.diagnosis.profile to one of: ${names.join(', ')}`,
        };
      }
      if (bundle.series.length === 0 && bundle.events.length === 0) {
        return { message: 'nothing was seen that could be explained' };
      }
      const answered = await ask(provider, bundle, signal, timeoutMs);
      if ('failed' in answered) return { message: `profile "${profile}" failed: ${answered.failed}` };
      if ('rejected' in answered) {
        return { message: `profile "${profile}": ${rejectionText(answered.rejected)}` };
      }
      const { answer, model, promptVersion, usage } = answered;
      const { name } = provider;
      const diagnosis = diagnosisStatus(answer, bundle, {
        scenario,
        profile,
        provider: name,
        promptVersion,
        model,
        ...(pods && { pods }),
      });
      // It has answered: only now is it held against what is known.
      if (truth) diagnosis.grade = gradeStatus(gradeAnswer(answer, bundle, truth), truth, bundle);
      return { diagnosis, message: diagnosisSentence(diagnosis), ...(usage && { usage }) };
    },
  };
}

/** `work`, or a rejection as soon as `signal` is aborted, for a provider that does not listen to it. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new Error('aborted'));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}
