/** The conclusion of a rule, and helpers for the text of its claims. */
import { truncate } from '../../api/index.ts';
import { type Action, ANSWER_LIMITS, type AnomalyClass, type Claim } from '../answer.ts';

export interface Finding {
  readonly anomaly: AnomalyClass;
  readonly component: string;
  readonly action: Action;
  /** 0 to 1. */
  readonly confidence: number;
  /** When its first sign appeared. */
  readonly onsetMs: number;
  /** From the cause to the observations; the first claim names the cause on its own. */
  readonly chain: readonly Claim[];
  /** Possible consequences; a finding of one of these classes that does not appear earlier ranks behind this one. */
  readonly consequences: readonly AnomalyClass[];
}

/** A claim, cut to its bounds; none if it has no evidence. */
export function claim(text: string, evidence: readonly string[]): Claim[] {
  const ids = [...new Set(evidence)].slice(0, ANSWER_LIMITS.cites);
  return ids.length === 0 ? [] : [{ text: truncate(text, ANSWER_LIMITS.text), evidence: ids }];
}

/** "replica-2", "replica-2 and replica-3", "7 replicas". */
export function namesOf(components: readonly string[]): string {
  return components.length > 3 ? `${components.length} replicas` : components.join(' and ');
}

/** "1 request", "3 requests". */
export function requests(count: number): string {
  return `${count} request${count === 1 ? '' : 's'}`;
}
