/**
 * The part of a ChaosDemo's spec that every subject has. The CRD is generated from this and the schemas of the
 * registered subjects, so every description here is shown by `kubectl explain`, and the API server checks every rule
 * before the operator sees the object.
 *
 * Rules in CEL are in `.meta({ 'x-kubernetes-validations': [...] })`; the ones that zod itself states (bounds,
 * patterns, enums) become plain schema.
 */
import { z } from 'zod';
import { cel, durationField } from './schema-parts.ts';
import type { CelRule, SubjectApi } from './subject-api.ts';

export const EXPECTATIONS = ['Held', 'Violated', 'Any'] as const;
export type Expectation = (typeof EXPECTATIONS)[number];

/** A scenario as returned by the API server; its parameters are in the member of its type. */
export interface ScenarioSpec {
  name: string;
  type: string;
  expect: Expectation;
  /** A duration. */
  countdown: string;
  [member: string]: unknown;
}

/** The part of a spec about its subject: the value of `member`; undefined if the spec has no such member. */
export function subjectPart(spec: ChaosDemoSpec, member: string): unknown {
  return (spec as unknown as Readonly<Record<string, unknown>>)[member];
}

/** The defaults of the fields that all scenarios have. */
export const SCENARIO_DEFAULTS = { expect: 'Held', countdown: '3s' } as const;

/** The scenarios of a spec; if it has none, those that its subject has by default. */
export function scenariosOf(
  { scenarios }: Pick<ChaosDemoSpec, 'scenarios'>,
  { defaultScenarios }: Pick<SubjectApi, 'defaultScenarios'>,
): readonly ScenarioSpec[] {
  return scenarios.length > 0
    ? scenarios
    : defaultScenarios.map((scenario) => ({ ...SCENARIO_DEFAULTS, ...scenario }));
}

/** The profile that every operator has: rules, which make no requests. */
export const RULES_PROFILE = 'rules';

/** A DNS label in lower case, the format of names in a spec. */
const NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** The name of a profile. */
export const profileName = z.string().regex(NAME).max(63);

/** The fields of every spec, besides its subject and its scenarios. */
const common = z.object({
  diagnosisProfile: profileName
    .default(RULES_PROFILE)
    .describe(
      'The profile of the operator that makes the diagnosis. If it gives no valid answer, the rules make it, and its message gives the cause.',
    ),
  pace: z
    .object({
      mode: z
        .enum(['Auto', 'Manual'])
        .default('Auto')
        .describe(
          'Auto continues automatically. Manual waits for the advance annotation after each chapter.',
        ),
      dwell: durationField('How long Auto shows a finished chapter.', '0s', '10m').default('0s'),
      lastChapter: z.string().min(1).max(64).default('Verdict').describe('Title of the last chapter.'),
    })
    .prefault({})
    .describe('How a run moves from chapter to chapter. A change takes effect at once.'),
  runId: z.string().max(128).default('').describe('Change it to run again.'),
  rerun: z
    .enum(['OnRequest', 'OnPodTemplateChange'])
    .default('OnRequest')
    .describe(
      'What starts another run automatically. OnPodTemplateChange: a rollout, when all selected pods are Ready and come from one new template. Pods without the label pod-template-hash or controller-revision-hash start no run.',
    ),
  suspend: z.boolean().default(false).describe('Start no run, and hold an active run before its next fault.'),
  activeDeadline: durationField(
    'Longest time a run may take. Time spent waiting for you does not count.',
    '1m',
    '24h',
  ).default('10m'),
  historyLimit: z
    .int()
    .min(0)
    .max(20)
    .default(5)
    .describe(
      'How many runs before the last one the status remembers, and of how many the evidence is kept.',
    ),
});

/** A spec as returned by the API server, with defaults. It also has the member of its subject. */
export type ChaosDemoSpec = z.infer<typeof common> & { scenarios: ScenarioSpec[] };

const optionalPart = (schema: z.ZodType<object, object>): z.ZodType => schema.optional();

const typesOf = ({ faults, member }: SubjectApi): string =>
  `For ${member}: ${faults.map(({ type }) => type).join(', ')}.`;

const defaultOf = ({ defaultScenarios, member }: SubjectApi): string =>
  `${defaultScenarios.map(({ name, type }) => `${type} (${name})`).join(', ')} for ${member}`;

/** The fields of all scenarios, and a member for each type. */
function scenarioSchema(subjects: readonly SubjectApi[]): z.ZodType {
  const faults = subjects.flatMap(({ faults }) => faults);
  const parts = Object.fromEntries(faults.map(({ member, schema }) => [member, optionalPart(schema)]));
  return z
    .object({
      name: z.string().regex(NAME).max(32).describe('Name of the scenario, unique in the list.'),
      type: z
        .enum(faults.map(({ type }) => type))
        .describe(['Which fault to inject.', ...subjects.map(typesOf)].join(' ')),
      expect: z
        .enum(EXPECTATIONS)
        .default(SCENARIO_DEFAULTS.expect)
        .describe(
          'The result that makes the scenario a success. Held: the invariant was kept. Violated: a demo of a weakness that is known. Any: either.',
        ),
      countdown: durationField('Time between the announcement and the fault.', '0s', '1m').default(
        SCENARIO_DEFAULTS.countdown,
      ),
      ...parts,
    })
    .meta(
      cel({
        rule: faults
          .map(({ type, member }) => `(self.type == '${type}' || !has(self.${member}))`)
          .join(' && '),
        message: `a scenario takes only the member of its type: ${faults.map(({ type, member }) => `${member} with ${type}`).join(', ')}`,
      }),
    );
}

/** Chapters of a run that dwell in pace Auto, besides those of its scenarios: Welcome and the health check. */
export const DWELLS_PER_RUN = 2;
/** Chapters of a scenario that dwell in pace Auto: chaos, detection, diagnosis. */
export const DWELLS_PER_SCENARIO = 3;

/** A spec is about one subject, with its scenarios; and the rules of each. */
function specRules(subjects: readonly SubjectApi[]): CelRule[] {
  const members = subjects.map(({ member }) => member);
  return [
    {
      rule: `[${members.map((member) => `has(self.${member})`).join(', ')}].filter(is, is).size() == 1`,
      message: `write what to test, and only one of ${members.join(', ')}`,
    },
    ...subjects.map(({ faults, member }) => ({
      rule: `!has(self.${member}) || self.scenarios.all(s, s.type in [${faults.map(({ type }) => `'${type}'`).join(', ')}])`,
      message: `${member} has scenarios of the types ${faults.map(({ type }) => type).join(', ')} only`,
    })),
    ...subjects.flatMap(({ member, rules }) =>
      rules.map(({ rule, ...rest }) => ({ rule: `!has(self.${member}) || (${rule})`, ...rest })),
    ),
  ];
}

/** The schema of `spec`, given the registered subjects. */
export function specSchema(subjects: readonly SubjectApi[]): z.ZodType<ChaosDemoSpec> {
  const schema = z
    .object({
      ...Object.fromEntries(subjects.map(({ member, schema: part }) => [member, optionalPart(part)])),
      scenarios: z
        .array(scenarioSchema(subjects))
        .max(8)
        .default([])
        .meta({
          description: `Which faults to inject, and which results to expect. Several of a type run one after the other. If there is none, the run has a scenario of its subject: ${subjects.map(defaultOf).join('; ')}.`,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
        }),
      ...common.shape,
    })
    .meta({
      description: 'What to test, which faults to inject, and how a run proceeds.',
      ...cel(...specRules(subjects)),
    });
  return schema as unknown as z.ZodType<ChaosDemoSpec>;
}
