/** An explanation of what was detected, as a status holds it. */
import { z } from 'zod';
import { remediationStatus } from './remediation.ts';
import { atomic, keyedBy, text, time } from './status-parts.ts';
import { LIMITS } from './text.ts';

const percent = (description: string) => z.int().min(0).max(100).describe(`${description} In percent.`);

/** Open, as conditions are: operator and CRD may be upgraded in either order. docs/diagnosis.md lists the values. */
const anomaly = text(32, 'Class of what is wrong, see docs/diagnosis.md; none: nothing is.');
const component = text(
  32,
  'Where the cause lies: a component under the name that it has in the evidence; replicas: all of them alike.',
);

const diagnosisStep = z.object({
  text: text(256, 'One step, from the cause to what was seen.'),
  evidence: z
    .array(z.string().max(8))
    .max(LIMITS.cites)
    .meta({ description: 'Ids of the evidence that shows it.', ...atomic }),
});

const citedEvidence = z.object({
  id: text(8, 'What steps cite it by.'),
  text: text(LIMITS.citedEvidence, 'What was seen, in short.'),
});

const rightOrWrong = (description: string) => z.enum(['Right', 'Wrong']).describe(description);

const grade = z.object({
  localization: rightOrWrong('Whether it names the component in which the fault was injected.'),
  identification: rightOrWrong('Whether it names the class of what was injected, there.'),
  reason: percent('Steps that cite evidence which shows what was injected.'),
  action: rightOrWrong('Whether the action fits what was injected.'),
  truth: text(128, 'What was injected, in the same words. A failure of another cause is not in it.'),
});

export const diagnosisSchema = z.object({
  scenario: text(32, 'The scenario whose anomaly is explained.'),
  anomaly,
  component,
  pod: text(253, 'Name of the pod behind that component.').optional(),
  chain: z
    .array(diagnosisStep)
    .max(LIMITS.chain)
    .meta({ description: 'The explanation, from the cause to what was seen.', ...atomic }),
  evidence: z
    .array(citedEvidence)
    .max(LIMITS.citedItems)
    .meta({ description: 'The evidence that the steps cite.', ...keyedBy('id') }),
  action: text(32, 'What to do about it, in a word, see docs/diagnosis.md.'),
  recommendation: text(256, 'The same in a sentence, by the operator.'),
  confidence: percent('How sure whoever made it is.'),
  alternatives: z
    .array(z.object({ anomaly, component }))
    .max(LIMITS.alternatives)
    .optional()
    .meta({ description: 'What else it may be, or what else is wrong, the likeliest first.', ...atomic }),
  provider: text(64, 'Who made it.'),
  profile: text(63, 'The profile that was asked.'),
  model: text(128, 'The model that answered, as its server names it.').optional(),
  promptVersion: text(32, 'What the evidence was put into, with its version.'),
  evidenceVersion: text(32, 'Version of the evidence.'),
  askedAt: time(
    'Since when the profile of the spec is asked. Until it answers this is what the rules say.',
  ).optional(),
  message: text(LIMITS.message, 'Why another than the profile of the spec made it.').optional(),
  remediation: remediationStatus
    .optional()
    .describe('What comes of it, where spec.remediation.mode asks for it.'),
  grade: grade.optional().describe('How it compares with what was injected, which it was not told.'),
});

export type DiagnosisStatus = z.infer<typeof diagnosisSchema>;
export type GradeStatus = z.infer<typeof grade>;
