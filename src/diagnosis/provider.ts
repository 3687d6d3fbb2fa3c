/**
 * The interface behind which diagnoses are made. A provider gets only evidence; it may use a language model or rules.
 * profiles.ts selects one, and checks every answer.
 */
import type { EvidenceBundle, FaultEvidence } from '../evidence/index.ts';
import type { Truth } from './grade.ts';

export interface DiagnosisRequest {
  /** Name of the scenario, copied into the result. Hidden from providers. */
  readonly scenario: string;
  /** All observations; the only input of a provider. */
  readonly bundle: EvidenceBundle;
  /** Names of components with the pods behind them, for people. Hidden from providers. */
  readonly pods: FaultEvidence['pods'];
  /** The injected faults, to grade the answer by. Hidden from providers. */
  readonly truth: readonly Truth[];
}

/** The unchecked answer of a provider: see `checkAnswer`. */
export interface ProviderAnswer {
  /** As received, parsed as JSON if it came as text. */
  readonly answer: unknown;
  /** The form in which the bundle was presented, with its version: "prompt/v4", "rules/v11". Shown in the evidence. */
  readonly promptVersion: string;
  /** The name that the server gives for the model. Unprocessed: not printable, and of any length. */
  readonly model?: string;
}

/** Explains evidence. Its only input is the bundle. */
export interface DiagnosisProvider {
  /** Shown as `provider` in the evidence: "rules", or the kind of API used. */
  readonly name: string;
  /**
   * Answers from the bundle only. May retry internally, and ends with `signal`.
   * @throws if there is no answer: it failed, refused, was cut off, or a budget is used up. The message is a sentence
   * without secrets: what happened and what to do.
   */
  answer(bundle: EvidenceBundle, signal: AbortSignal): Promise<ProviderAnswer>;
}
