/**
 * What comes of a diagnosis, in the API: what `spec.remediation` allows, and what `status.diagnoses[].remediation`
 * tells. What is carried out is of a closed set; its parameters come from the spec and the run alone.
 */
import { z } from 'zod';
import { cel } from './schema-parts.ts';
import { LIMITS } from './text.ts';

/** What the operator may carry out, each with the action of a diagnosis that asks for it. */
export const REMEDIES = { ResetCounter: 'reset-counter', ChangeLimit: 'change-limit' } as const;
export type Remedy = keyof typeof REMEDIES;
const remedies = Object.keys(REMEDIES) as [Remedy, ...Remedy[]];

/**
 * Suggested: words alone. Applying: announced, and not reported yet. Of what was decided on: Applied and Ineffective
 * were carried out, and a measurement shows that it helped, or did not; Unproven may have been, and no measurement
 * shows it; NotApplied was not.
 */
export const REMEDIATION_STATES = [
  'Suggested',
  'Applying',
  'Applied',
  'Ineffective',
  'Unproven',
  'NotApplied',
] as const;

/** The remedy that an action of a diagnosis asks for; undefined: such an action is only ever suggested. */
export function remedyFor(action: string): Remedy | undefined {
  return remedies.find((remedy) => REMEDIES[remedy] === action);
}

const applied = z
  .object({
    actions: z.array(z.enum(remedies)).min(1).max(remedies.length).meta({
      description:
        'What may be carried out; every other action is only suggested. ResetCounter starts a fresh window. ChangeLimit sets another limit.',
      'x-kubernetes-list-type': 'set',
    }),
    limit: z
      .object({
        min: z.int().min(1).max(1_000_000).describe('The lowest limit that may be set.'),
        max: z.int().min(1).max(1_000_000).describe('The highest.'),
      })
      .optional()
      .meta({
        description: 'For ChangeLimit: a limit outside of these bounds is not set.',
        ...cel({ rule: 'self.min <= self.max', message: 'limit.min must not be above limit.max' }),
      }),
  })
  .meta({
    description:
      'What mode Apply may do: to the key of the scenario alone, once for each scenario, after every result stands and before everything is restored.',
    ...cel({
      rule: "has(self.limit) == self.actions.exists(a, a == 'ChangeLimit')",
      message: 'write limit with min and max where actions has ChangeLimit, and nowhere else',
    }),
  });

export const remediationSpec = z
  .object({
    mode: z
      .enum(['Off', 'Suggest', 'Apply'])
      .default('Off')
      .describe(
        'Suggest writes beside each diagnosis what would be done about it. Apply does what apply lists, measures again, and suggests the rest. Write "Off" in quotes: YAML reads it as false without.',
      ),
    apply: applied.optional(),
  })
  .prefault({})
  .meta({
    description: 'What comes of a diagnosis. A change starts no run.',
    ...cel({
      // The API server holds the default of the whole, {}, against it as well.
      rule: "!has(self.mode) || self.mode != 'Apply' || has(self.apply)",
      message: 'mode Apply needs apply.actions: nothing is applied that is not listed',
    }),
  });

export type RemediationSpec = z.infer<typeof remediationSpec>;

const figure = z.object({
  name: z.string().max(32).describe('What was measured.'),
  value: z.int().describe('The figure.'),
  unit: z.string().max(16).describe('Its unit.'),
});
const figures = (description: string) =>
  z.array(figure).max(LIMITS.figures).optional().meta({ description, 'x-kubernetes-list-type': 'atomic' });

/** A figure before or after a remedy. */
export type RemedyFigure = z.infer<typeof figure>;

export const remediationStatus = z.object({
  state: z
    .string()
    .max(16)
    .describe(
      'Suggested: nothing was done, and nothing was decided on. Applying: announced. Applied: done, and a measurement shows that it helped; Ineffective: that it did not. Unproven: it may have been done, or a part of it, and no measurement shows that it helped. NotApplied: nothing was sent.',
    ),
  action: z.string().max(32).optional().describe('What was decided on: ResetCounter or ChangeLimit.'),
  profile: z.string().max(63).optional().describe('Whose diagnosis asked for it, when that was decided.'),
  before: figures('What had been counted right before; of ChangeLimit, what the old limit came to.'),
  after: figures('What the requests that measure it came to, in the window that the remedy began.'),
  message: z
    .string()
    .max(LIMITS.remedy)
    .describe('What would be done, or was, by the operator: no provider words it.'),
});

export type RemediationStatus = z.infer<typeof remediationStatus>;

/** A remedy that a run has decided on, in the journal: it is never decided on again. */
export const journaledRemedy = z.object({
  id: z.string().max(64).describe('Id of the fault, and "/remedy".'),
  until: z.string().max(32).meta({
    description: 'When it is given up. Whoever has announced it carries it out by then, or nobody does.',
    format: 'date-time',
  }),
});
