/**
 * The check that every answer passes, from models and rules alike. It accepts answers that match the schema and refer
 * only to this bundle. Pure.
 */
import { LIMITS, printable, truncate } from '../api/index.ts';
import type { EvidenceBundle } from '../evidence/index.ts';
import { answerTo, type DiagnosisAnswer } from './answer.ts';

/** The answer, with every text printable, or why it was rejected, for people. */
export type CheckedAnswer = { readonly answer: DiagnosisAnswer } | { readonly rejected: string };

/** Checks an answer against the schema of answers to this bundle. Accepts any value, and never throws. */
export function checkAnswer(answer: unknown, bundle: EvidenceBundle): CheckedAnswer {
  const parsed = answerTo(bundle).safeParse(answer);
  if (!parsed.success) {
    const reasons = parsed.error.issues.map(
      ({ message, path }) => `${path.join('.') || 'the answer'}: ${message}`,
    );
    // Some of the length of a message is left for the names of the profile and the model.
    return { rejected: truncate(printable(reasons.join('; ')), LIMITS.message - 256) };
  }
  const chain = parsed.data.chain.map(({ evidence, text }) => ({ evidence, text: printable(text).trim() }));
  return { answer: { ...parsed.data, chain } };
}
