/**
 * The interface behind which diagnoses are made, and the choice among them by
 * profile. A provider gets observations and nothing else; one that asks a
 * language model fits as well as one that follows rules.
 */
import type { DiagnosisStatus } from '../api/index.ts';
import type { EvidenceBundle } from '../evidence/index.ts';

export interface DiagnosisRequest {
  /** Name of the scenario, copied into the result; says nothing about what happened. */
  scenario: string;
  /** All that was seen. */
  bundle: EvidenceBundle;
}

/** A diagnosis, or none with the reason in `message`. */
export interface DiagnosisResult {
  diagnosis?: DiagnosisStatus;
  message: string;
}

/** What answering has cost; left out: not known, or nothing. */
export interface ProviderUsage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  /** Millionths of a US dollar. */
  readonly microDollars?: number;
}

/** What a provider gives back, unchecked: see `checkAnswer`. */
export interface ProviderAnswer {
  /** As it came, parsed as JSON where it came as text. */
  readonly answer: unknown;
  /** What the bundle was put into, with its version: "prompt/v1", "rules/v2". Shown in the status. */
  readonly promptVersion: string;
  /** Which model answered, as its server names it. Bounded and made printable by whoever shows it. */
  readonly model?: string;
  readonly usage?: ProviderUsage;
}

/** Who explains evidence. It is given the bundle and nothing else. */
export interface DiagnosisProvider {
  /** Shown as `provider` in the status: "rules", or the kind of API that is asked. */
  readonly name: string;
  /**
   * Answers from the bundle alone. May try again within itself; its caller bounds the whole in time by `signal`.
   * @throws where there is no answer: it failed, refused, was cut off, or a budget is used up. The message says
   *   what happened and what to do, in a sentence without secrets.
   */
  answer(bundle: EvidenceBundle, signal: AbortSignal): Promise<ProviderAnswer>;
}

/** Goes with the timeline of observations, as soon as all watches give bundles. */
export interface ObservationProvider {
  readonly name: string;
  diagnose(request: DiagnosisRequest, signal: AbortSignal): Promise<DiagnosisResult>;
}

export interface DiagnosisProfiles {
  /**
   * Has the provider of a profile explain the observations within `timeoutMs`
   * (default 30 s). Never rejects: an unknown profile, a provider that fails and
   * one that takes too long are results without a diagnosis.
   */
  diagnose(
    profile: string,
    request: DiagnosisRequest,
    signal: AbortSignal,
    timeoutMs?: number,
  ): Promise<DiagnosisResult>;
}

const PROVIDER_TIMEOUT_MS = 30_000;

/**
 * The profiles that `spec.diagnosis.profile` may name, each with its provider.
 *
 * @example
 * const profiles = createDiagnosisProfiles({ rules: rulesProvider });
 * const { diagnosis, message } = await profiles.diagnose('rules', request, signal);
 */
export function createDiagnosisProfiles(
  providers: Readonly<Record<string, ObservationProvider>>,
): DiagnosisProfiles {
  return {
    async diagnose(profile, request, signal, timeoutMs = PROVIDER_TIMEOUT_MS) {
      const provider = Object.hasOwn(providers, profile) ? providers[profile] : undefined;
      if (provider === undefined) {
        const known = Object.keys(providers).sort().join(', ');
        return {
          message: `no diagnosis: this operator has no profile "${profile}"; set spec.diagnosis.profile to one of: ${known}`,
        };
      }
      if (request.bundle.series.length === 0 && request.bundle.events.length === 0) {
        return { message: 'no diagnosis: nothing was observed that could be explained' };
      }
      const timeout = AbortSignal.timeout(timeoutMs);
      try {
        return await raceAbort(
          provider.diagnose(request, AbortSignal.any([signal, timeout])),
          AbortSignal.any([signal, timeout]),
        );
      } catch (error) {
        if (signal.aborted) return { message: 'no diagnosis: stopped before it was finished' };
        if (timeout.aborted)
          return { message: `no diagnosis: ${provider.name} did not finish within ${timeoutMs} ms` };
        const reason = error instanceof Error ? error.message : String(error);
        return { message: `no diagnosis: ${provider.name} failed: ${reason}` };
      }
    },
  };
}

/** `work`, or a rejection as soon as `signal` is aborted, for a provider that does not listen to it. */
async function raceAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
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
