/**
 * The status written by the operator. Bounded everywhere (in total under 32 KiB, see engine/bounded-status.ts), written
 * on transitions only; samples go to metrics.
 *
 * Results, which people read, are separate from the `journal`, which the operator needs to continue after a restart.
 * Condition types and reasons are documented, not closed in the schema, so that operator and CRD may be upgraded in
 * either order.
 *
 * Times are RFC 3339 with milliseconds, since faults are planned and judged finer than a second; those of conditions
 * have integer seconds, as in Kubernetes.
 */
import { z } from 'zod';
import { diagnosisSchema } from './diagnosis-status.ts';
import { cel } from './schema-parts.ts';
import { atomic, keyedBy, milliseconds, text, time } from './status-parts.ts';
import { LIMITS } from './text.ts';

export type { DiagnosisStatus } from './diagnosis-status.ts';

export const PHASES = ['Pending', 'Running', 'Succeeded', 'Failed', 'Errored', 'Aborted'] as const;
export const VERDICTS = ['Succeeded', 'Failed', 'Errored', 'Aborted'] as const;
export const RESULTS = ['Violated', 'Held', 'Inconclusive'] as const;
export const PROOFS = ['Confirmed', 'Mismatch', 'Inconclusive'] as const;

/** The form that Kubernetes requires of a reason: CamelCase, see metav1.Condition. */
const reason = z
  .string()
  .max(64)
  .regex(/^[A-Za-z]([A-Za-z0-9]*[A-Za-z0-9])?$/)
  .describe('Why, in one word; the reference lists them.');

const chapter = z.object({
  title: text(64, 'Title of the chapter.'),
  startedAt: time('When it began, and the run left the one before.').optional(),
  doneAt: time('When its work was done; pace.dwell counts from here. Gone once it is left.').optional(),
  message: text(LIMITS.message, 'What is happening in it, or what has happened.').optional(),
});

const fault = z.object({
  id: text(64, 'Run, scenario and attempt. The operator injects each id at most once.'),
  fixture: text(112, 'What was set up for it, by name. Gone once fault and run ended.').optional(),
  marker: text(64, 'Shows, after a restart, whether it was injected. Gone with fixture.').optional(),
  plannedAt: time('When it is to start.'),
  startedAt: time('When it really started.').optional(),
  until: time(
    'The latest moment at which it ends automatically. A permanent effect, such as swapped roles of servers, stays.',
  ),
  endedAt: time(
    'When it ended, by the clock of what was disturbed if that is known, else when a probe saw it. Equal to until if no probe saw it.',
  ).optional(),
  proof: z
    .enum(PROOFS)
    .optional()
    .describe(
      'Whether the fault was there, as independent evidence shows, not only the reply to the command. Mismatch: the command was accepted and nothing changed.',
    ),
  message: text(LIMITS.message, 'What the probe saw.').optional(),
});

/** Integers by the names of measures, which subjects define. */
const byMeasure = (description: string) =>
  z.record(z.string().max(32), z.int()).meta({
    description,
    maxProperties: LIMITS.measures,
    ...cel({ rule: 'self.all(name, size(name) <= 32)', message: 'a name has at most 32 characters' }),
  });

const scenario = z.object({
  name: text(32, 'As in the spec.'),
  type: text(32, 'As in the spec.'),
  expect: text(16, 'As in the spec.'),
  result: z.enum(RESULTS).optional().describe('How it ended.'),
  reason: reason.optional(),
  message: text(LIMITS.message, 'Why it ended so, in a sentence.').optional(),
  summary: text(
    32,
    'The measure of the invariant in one, as the columns show it: "30 > 5" or "20/10".',
  ).optional(),
  measures: byMeasure(
    'What was measured, by name; the largest value if it was measured repeatedly. The reference lists the names, and their units.',
  ).optional(),
  bounds: byMeasure('What the invariant allows, of each measure that it is judged by.').optional(),
  atLeast: z
    .array(text(32, 'Name of a measure.'))
    .max(LIMITS.measures)
    .optional()
    .meta({
      description: 'Measures whose true value may be higher, since more could not be measured.',
      ...atomic,
    }),
  retries: z
    .int()
    .min(0)
    .optional()
    .describe('How often its fault was planned again, since one could not be injected. Left out if never.'),
  fault: fault.optional().describe('The fault that was injected for it.'),
  evidence: z
    .array(z.string().max(LIMITS.evidence))
    .max(LIMITS.evidenceItems)
    .optional()
    .meta({ description: 'What was seen, a sentence each.', ...atomic }),
  history: text(
    71,
    'sha256: and the SHA-256 over the lines of its history, each with a line feed after it, in hexadecimal. By it, chaosdemo check finds any change. Set with the verdict.',
  ).optional(),
});

const run = z.object({
  number: z.int().min(1).describe('Counts the runs of this object; advance and abort name it.'),
  runId: text(128, 'spec.runId as it was when the run began.').optional(),
  startedAt: time('When it began.'),
  completedAt: time('When it ended.').optional(),
  phase: z.enum(VERDICTS).optional().describe('How it ended: the verdict. Left out until then.'),
  reason: reason.optional().describe('Why it ended so, or why it is being stopped, in one word.'),
  podNames: z
    .array(text(253, 'A name.'))
    .max(LIMITS.pods)
    .optional()
    .meta({ description: 'The pods that the run is about; the first 16.', ...atomic }),
  podTemplate: text(
    128,
    'Hash of the template that these pods came from, by the label that their controller gave them.',
  ).optional(),
});

const condition = z.object({
  type: z
    .string()
    .max(64)
    .regex(/^[A-Za-z]([A-Za-z0-9]*[A-Za-z0-9])?$/)
    .describe('What it is about; the reference lists them.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  lastTransitionTime: time('When status last changed.'),
  reason,
  message: z.string().max(1024).describe('Why, in a sentence.'),
});

const journal = z
  .object({
    runKey: text(64, 'What the last run was started for; see the run key in the reference.').optional(),
    awaitedMilliseconds: milliseconds(
      'How long the run has waited for a person so far; does not count for the deadline.',
    ).optional(),
    awaitingSince: time('Since when it waits for a person.').optional(),
    stoppingSince: time('Since when the run is being stopped before its last chapter.').optional(),
  })
  .describe('What the operator needs to continue after a restart. Do not build on it.');

export const statusSchema = z
  .object({
    observedGeneration: z.int().optional().describe('The generation of the spec that this status is for.'),
    phase: z.enum(PHASES).optional().describe('State of the object; once its run has ended, the verdict.'),
    chapter: text(
      96,
      'Number and title of the current chapter, and what it is doing: "4/11 Setup (countdown)". Before a run, why none begins: "(PodsNotReady)".',
    ).optional(),
    message: text(
      LIMITS.message,
      'What happens now, or why the run is being stopped, or how it ended.',
    ).optional(),
    result: text(
      64,
      'Result of each scenario so far, with what was measured if there is room: "first violated (34 of 10 in 1.2 s); second held".',
    ).optional(),
    run: run.optional().describe('The active run, or the last one.'),
    lastHandledRunRequest: text(
      LIMITS.request,
      'The last value of the requested-at annotation that was acted on.',
    ).optional(),
    chapters: z
      .array(chapter)
      .max(LIMITS.chapters)
      .optional()
      .meta({
        description: 'The chapters of that run, numbered from 1. The current one is the last with startedAt.',
        ...atomic,
      }),
    scenarios: z
      .array(scenario)
      .max(8)
      .optional()
      .meta({
        description: 'Result of each scenario of that run, with its evidence.',
        ...keyedBy('name'),
      }),
    diagnoses: z
      .array(diagnosisSchema)
      .max(8)
      .optional()
      .meta({ description: 'Explanations of what was detected.', ...keyedBy('scenario') }),
    pastRuns: z
      .array(text(LIMITS.pastRun, 'A run: number, runId, verdict, its end, and the results.'))
      .max(LIMITS.pastRuns)
      .optional()
      .meta({ description: 'Earlier runs, newest first, a line each.', ...atomic }),
    conditions: z
      .array(condition)
      .max(32)
      .optional()
      .meta({ description: 'The state, for programs to read.', ...keyedBy('type') }),
    journal: journal.optional(),
  })
  .describe('What happens and what happened. Written by the operator.');

export type ChaosDemoStatus = z.infer<typeof statusSchema>;
export type RunStatus = z.infer<typeof run>;
export type ChapterStatus = z.infer<typeof chapter>;
export type ScenarioStatus = z.infer<typeof scenario>;
/** Figures by the names of their measures. */
export type Measures = Readonly<Pick<ScenarioStatus, 'atLeast' | 'bounds' | 'measures'>>;
export type FaultStatus = z.infer<typeof fault>;
export type Journal = z.infer<typeof journal>;
/** A condition as Kubernetes defines it (metav1.Condition), of the generation that the status has. */
export type Condition = z.infer<typeof condition>;
/** How a run ended, and why. */
export interface Verdict {
  readonly phase: (typeof VERDICTS)[number];
  readonly reason: string;
  readonly message: string;
}

/** The condition of a type, if the status has one. */
export function conditionOf({ conditions }: ChaosDemoStatus, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export type Phase = (typeof PHASES)[number];
export type ScenarioResult = (typeof RESULTS)[number];
export type FaultProof = (typeof PROOFS)[number];

/**
 * How the run ended; undefined: it has not, or another writer left out why, and a condition needs a reason. Its sentence
 * is in the status until the object waits for another run; from then on this has the reason only.
 */
export function endOf({ message = '', phase, run }: ChaosDemoStatus): Verdict | undefined {
  if (run?.phase === undefined || run.reason === undefined) return undefined;
  const isShown = phase === run.phase;
  return {
    phase: run.phase,
    reason: run.reason,
    message: isShown ? message : `Run ${run.number} ended: ${run.phase} (${run.reason})`,
  };
}
