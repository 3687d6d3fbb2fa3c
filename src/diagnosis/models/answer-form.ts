/** The requested form of an answer, as JSON schema: the general form, limited to the names in the prompt. */
import { z } from 'zod';
import { type EvidenceBundle, evidenceIds } from '../../evidence/index.ts';
import { ANSWER_LIMITS, diagnosisAnswer } from '../answer.ts';
import { answerComponents } from '../check-answer.ts';

/** Servers accept no longer enumerations; for a larger bundle they are omitted, and answers are checked in any case. */
const MAX_IDS = 250;

/**
 * @param shown the evidence in the prompt: a server that enforces the form accepts no other names. Others may ignore
 * the form, so the answer is checked in any case.
 */
export function answerForm(shown: EvidenceBundle): object {
  const { alternatives, chain } = diagnosisAnswer.shape;
  const component = z.enum(answerComponents(shown)).describe('Where the cause lies.');
  const ids = [...evidenceIds(shown)];
  const [first, ...others] = ids;
  const id = first === undefined || ids.length > MAX_IDS ? z.string() : z.enum([first, ...others]);
  const evidence = z.array(id).min(1).max(ANSWER_LIMITS.cites).describe('What shows it.');
  const form = diagnosisAnswer.extend({
    component,
    chain: z.array(chain.element.extend({ evidence })).min(1).max(ANSWER_LIMITS.chain),
    alternatives: z.array(alternatives.element.extend({ component })).max(ANSWER_LIMITS.alternatives),
  });
  return z.toJSONSchema(form, { target: 'draft-7' });
}
