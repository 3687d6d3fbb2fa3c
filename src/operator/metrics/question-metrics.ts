/** What is counted of questions to profiles as they are asked: how they went, and what they cost. */
import { Counter, type Registry } from 'prom-client';
import { RULES_PROFILE } from '../../api/index.ts';
import type { Asked } from '../../diagnosis/index.ts';

/** What became of a question. */
const OUTCOMES = ['accepted', 'rejected', 'failed'] as const;
/** Tokens of a question, and of its answer. */
const KINDS = ['input', 'output'] as const;

/**
 * Counts one question; every series starts at 0.
 * @param profiles names of the profiles of this operator, the rules among them or not
 */
export function createQuestionMetrics(
  registers: Registry[],
  profiles: readonly string[],
): (asked: Asked) => void {
  const known = new Set([RULES_PROFILE, ...profiles]);
  const questions = new Counter({
    name: 'chaosdemo_diagnosis_questions_total',
    help: 'Questions to profiles, by outcome: accepted, rejected by the checks, failed (no answer, or no budget).',
    labelNames: ['profile', 'outcome'],
    registers,
  });
  const tokens = new Counter({
    name: 'chaosdemo_diagnosis_tokens_total',
    help: 'Tokens of questions (input) and of their answers (output), as the servers of models count them.',
    labelNames: ['profile', 'kind'],
    registers,
  });
  const dollars = new Counter({
    name: 'chaosdemo_diagnosis_cost_dollars_total',
    help: 'What those tokens cost, by the prices of the profile; 0 without a price.',
    labelNames: ['profile'],
    registers,
  });
  for (const profile of known) {
    for (const outcome of OUTCOMES) questions.inc({ profile, outcome }, 0);
    for (const kind of KINDS) tokens.inc({ profile, kind }, 0);
    dollars.inc({ profile }, 0);
  }
  return ({ outcome, profile, usage = {} }) => {
    if (!known.has(profile)) return;
    questions.inc({ profile, outcome });
    tokens.inc({ profile, kind: 'input' }, usage.inputTokens ?? 0);
    tokens.inc({ profile, kind: 'output' }, usage.outputTokens ?? 0);
    dollars.inc({ profile }, (usage.microDollars ?? 0) / 1e6);
  };
}
