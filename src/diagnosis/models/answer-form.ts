/** The form that a server is asked to hold an answer to, as JSON schema: that of every answer, with what there is to name. */
import { z } from 'zod';
import { type EvidenceBundle, evidenceIds } from '../../evidence/index.ts';
import { ANSWER_LIMITS, diagnosisAnswer } from '../answer.ts';
import { answerComponents } from '../check-answer.ts';

/** Servers take no more words to choose from; a larger bundle goes without, and its answers are checked all the same. */
const MOST_IDS = 250;

/**
 * @param shown what the prompt shows: a server that holds to the form lets nothing else be named. Others may not
 *   know the form at all, so the answer is checked whatever this says.
 */
export function answerForm(shown: EvidenceBundle): object {
  const { alternatives, chain } = diagnosisAnswer.shape;
  const component = z.enum(answerComponents(shown)).describe('Where the cause lies.');
  const ids = [...evidenceIds(shown)];
  const [first, ...others] = ids;
  const id = first === undefined || ids.length > MOST_IDS ? z.string() : z.enum([first, ...others]);
  const evidence = z.array(id).min(1).max(ANSWER_LIMITS.cites).describe('What shows it.');
  const form = diagnosisAnswer.extend({
    component,
    chain: z.array(chain.element.extend({ evidence })).min(1).max(ANSWER_LIMITS.chain),
    alternatives: z.array(alternatives.element.extend({ component })).max(ANSWER_LIMITS.alternatives),
  });
  return z.toJSONSchema(form, { target: 'draft-7' });
}
