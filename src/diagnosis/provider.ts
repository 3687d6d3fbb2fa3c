/**
 * The interface behind which diagnoses are made. A provider gets evidence and nothing else; one that asks a language
 * model fits as well as one that follows rules. profiles.ts chooses among them, and believes none of them unchecked.
 */
import type { Diagnosis, EvidenceBundle } from '../evidence/index.ts';
import type { Truth } from './grade.ts';
import type { Pods } from './render.ts';

export interface DiagnosisRequest {
  /** Name of the scenario, copied into the result. No provider sees it. */
  readonly scenario: string;
  /** All that was seen; the one thing that a provider is given. */
  readonly bundle: EvidenceBundle;
  /** Names of components with the pods behind them, for people. No provider sees it. */
  readonly pods?: Pods;
  /** What was done, to grade the answer by once it is there. No provider sees it. */
  readonly truth?: readonly Truth[];
}

/** A diagnosis, or none with the reason in `message`. */
export interface DiagnosisResult {
  readonly diagnosis?: Diagnosis;
  readonly message: string;
  readonly usage?: ProviderUsage;
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
  /** What the bundle was put into, with its version: "prompt/v2", "rules/v4". Shown in the evidence. */
  readonly promptVersion: string;
  /** Which model answered, as its server names it. Bounded and made printable by whoever shows it. */
  readonly model?: string;
  readonly usage?: ProviderUsage;
}

/**
 * Something came that is no answer, and it has cost. The message is as of any failure: see `answer`. Known by its code.
 */
export class UselessAnswerError extends Error {
  override readonly name = 'UselessAnswerError';
  readonly code = 'USELESS_ANSWER';
  readonly usage: ProviderUsage;

  constructor(message: string, usage: ProviderUsage) {
    super(message);
    this.usage = usage;
  }
}

/** Who explains evidence. It is given the bundle and nothing else that it could explain from. */
export interface DiagnosisProvider {
  /** Shown as `provider` in the evidence: "rules", or the kind of API that is asked. */
  readonly name: string;
  /**
   * Answers from the bundle alone. May try again within itself; its caller bounds the whole in time by `signal`.
   * @throws where there is no answer: it failed, refused, was cut off, or a budget is used up. The message says
   *   what happened and what to do, in a sentence without secrets.
   */
  answer(bundle: EvidenceBundle, signal: AbortSignal): Promise<ProviderAnswer>;
}
