/** Remediation in the API: the values of `spec.remediation`, and the report in `status.diagnoses[].remediation`. */
import { z } from 'zod';
import { time } from './status-parts.ts';
import { LIMITS } from './text.ts';

/** The only action of a diagnosis that is ever applied. All others are only suggested. */
export const APPLICABLE_ACTION = 'reset-counter';

export const remediationSpec = z
  .enum(['None', 'Suggest', 'Apply'])
  .default('None')
  .describe(
    'What the operator does about a diagnosis; a change starts no run. Suggest describes the action that each diagnosis recommends. Apply resets the counter of the scenario if the diagnosis recommends that, measures again, and only suggests every other action.',
  );

export type RemediationSpec = z.infer<typeof remediationSpec>;

/** Results of an action that was decided on. */
export const REMEDIATION_RESULTS = ['Applied', 'Ineffective', 'Unproven', 'NotApplied'] as const;

export const remediationStatus = z.object({
  state: z
    .string()
    .max(16)
    .describe(
      'Suggested: nothing was done. Applying: announced, without a result yet. Applied: carried out, and a measurement shows that it helped. Ineffective: the measurement shows that it did not help. Unproven: it may have been carried out, and no measurement shows that it helped. NotApplied: nothing was sent.',
    ),
  message: z.string().max(LIMITS.remedy).describe('The action, or its result, in the words of the operator.'),
  until: time(
    'When an announced action is given up. Only the process that announced it carries it out, before this time.',
  ).optional(),
});

export type RemediationStatus = z.infer<typeof remediationStatus>;
