/** A diagnosis as stored in a status: the conclusion. The complete answer is in the evidence of the run. */
import { z } from 'zod';
import { text, time } from './status-parts.ts';
import { LIMITS } from './text.ts';

export const diagnosisSchema = z.object({
  scenario: text(32, 'Name of the scenario whose violation is explained.'),
  // Open, as conditions are: operator and CRD may be upgraded in either order.
  class: text(32, 'Class of the cause, see docs/diagnosis.md; none: nothing is wrong.'),
  component: text(
    32,
    'Location of the cause: a component by its name in the evidence; replicas: all of them alike.',
  ),
  pod: text(253, 'Name of the pod behind that component.').optional(),
  recommendation: text(
    256,
    'What to do, by the operator. Missing if the scenario injects a fault into the store: the cause is known then.',
  ).optional(),
  profile: text(63, 'The profile that made it.'),
  requestedAt: time(
    'Set while the profile of the spec is queried. Until it answers, this diagnosis is that of the rules.',
  ).optional(),
  message: text(LIMITS.message, 'Why another profile than that of the spec made it.').optional(),
});

export type DiagnosisStatus = z.infer<typeof diagnosisSchema>;
