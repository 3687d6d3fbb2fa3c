/**
 * The check that every answer passes, from models and rules alike. It accepts answers that match the schema and refer
 * only to this bundle. Pure.
 */
import { LIMITS, printable, truncate } from '../api/index.ts';
import { type EvidenceBundle, evidenceIds } from '../evidence/index.ts';
import { ANSWER_LIMITS, type DiagnosisAnswer, diagnosisAnswer } from './answer.ts';

/** The answer, with every text printable, or why it was rejected, for people. */
export type CheckedAnswer = { readonly answer: DiagnosisAnswer } | { readonly rejected: string };

/** The component if nothing is wrong, or its location is unknown. */
export const NO_COMPONENT = 'none';
/** All replicas together, if the cause lies in their interaction. */
export const ALL_REPLICAS = 'replicas';

/** Every component that an answer to this bundle may name. */
export function answerComponents({ components }: EvidenceBundle): [string, ...string[]] {
  return [NO_COMPONENT, ALL_REPLICAS, ...components.map(({ name }) => name)];
}

/**
 * Checks an answer against its schema and against the bundle: everything it cites and names must exist. Accepts any
 * value, and never throws.
 */
export function checkAnswer(answer: unknown, bundle: EvidenceBundle): CheckedAnswer {
  const parsed = diagnosisAnswer.safeParse(answer);
  if (!parsed.success) {
    return rejected(
      parsed.error.issues.map(({ message, path }) => `${path.join('.') || 'the answer'}: ${message}`),
    );
  }
  const made = withPrintable(parsed.data);
  const reasons = [...textProblems(made), ...nameProblems(made, bundle), ...citeProblems(made, bundle)];
  return reasons.length > 0 ? rejected(reasons) : { answer: made };
}

function rejected(reasons: readonly string[]): CheckedAnswer {
  // Some of the length of a message is left for the name of the profile.
  return { rejected: truncate(printable(reasons.join('; ')), LIMITS.message - 192) };
}

function withPrintable(answer: DiagnosisAnswer): DiagnosisAnswer {
  return {
    ...answer,
    chain: answer.chain.map(({ evidence, text }) => ({ evidence, text: printable(text).trim() })),
  };
}

function textProblems({ chain }: DiagnosisAnswer): string[] {
  const bytes = Buffer.byteLength(chain.map(({ text }) => text).join(''));
  return [
    ...chain.flatMap(({ text }, i) => (/[\p{L}\p{N}]/u.test(text) ? [] : [`chain.${i}.text says nothing`])),
    ...(bytes > ANSWER_LIMITS.chainBytes
      ? [`the texts of the chain take ${bytes} bytes of at most ${ANSWER_LIMITS.chainBytes}`]
      : []),
  ];
}

function nameProblems(answer: DiagnosisAnswer, bundle: EvidenceBundle): string[] {
  const known = new Set<string>(answerComponents(bundle));
  return [answer, ...answer.alternatives].flatMap(({ anomaly, component }, i) => {
    const where = i === 0 ? '' : `alternative ${i}: `;
    if (!known.has(component)) return [`${where}there is no component "${component}"`];
    if (anomaly === 'none' && component !== NO_COMPONENT) {
      return [`${where}nothing is said to be wrong, and ${component} is named as its cause`];
    }
    const needs = anomaly !== 'none' && anomaly !== 'unknown';
    return needs && component === NO_COMPONENT ? [`${where}${anomaly} is said of no component`] : [];
  });
}

function citeProblems({ chain }: DiagnosisAnswer, bundle: EvidenceBundle): string[] {
  const known = evidenceIds(bundle);
  return chain.flatMap(({ evidence }, i) => {
    const missing = evidence.filter((id) => !known.has(id));
    return missing.length > 0 ? [`chain.${i} cites what does not exist: ${missing.join(', ')}`] : [];
  });
}
