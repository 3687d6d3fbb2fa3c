/**
 * What the operator writes back. Bounded everywhere (the whole stays under
 * 32 KiB), written on transitions only; samples go to metrics.
 *
 * Times are RFC 3339 with milliseconds, since faults are planned and judged
 * finer than a second; those of conditions have whole seconds, as Kubernetes has.
 */
import { z } from 'zod';
import { CONDITION_TYPES, REASONS } from './conditions.ts';

const time = (description: string) => z.string().max(32).meta({ description, format: 'date-time' });
const text = (max: number, description: string) => z.string().max(max).describe(description);
const atomic = { 'x-kubernetes-list-type': 'atomic' };

export const LIMITS = {
  message: 512,
  request: 128,
  evidence: 256,
  evidenceItems: 12,
  nodes: 16,
  pods: 16,
  history: 20,
} as const;

export const PHASES = ['Pending', 'Running', 'Succeeded', 'Failed', 'Errored', 'Aborted'] as const;
export const CHAPTER_STATES = ['Pending', 'Running', 'Waiting', 'Completed', 'Skipped', 'Stopped'] as const;
export const RESULTS = ['Detected', 'NotDetected', 'Inconclusive'] as const;
export const PROOFS = ['Confirmed', 'Mismatch', 'Inconclusive'] as const;

const reason = z
  .enum(Object.keys(REASONS) as [keyof typeof REASONS])
  .describe('Why, in one word of a closed set.');

const chapter = z.object({
  number: z.int().min(1).max(64).describe('Place in the story, from 1.'),
  title: text(64, 'What the chapter is called.'),
  state: z
    .enum(CHAPTER_STATES)
    .describe('Waiting: its work is done and a hand is awaited. Stopped: the run ended in it.'),
  startedAt: time('When it began.').optional(),
  doneAt: time('When its work was done; the dwell counts from here.').optional(),
  completedAt: time('When the story went on.').optional(),
  message: text(LIMITS.message, 'What happens, or what happened, in it.').optional(),
});

const fault = z.object({
  id: text(128, 'Run, scenario and attempt. Each id is injected at most once.'),
  key: text(192, 'The key on the rate limiter that this attempt uses.'),
  marker: text(
    128,
    'What tells, after a restart of the operator, whether the fault was injected: the run_id of Redis and its count of pauses before.',
  ).optional(),
  plannedAt: time('When it is to start.'),
  startedAt: time('When it really started.').optional(),
  until: time('When it ends by itself at the latest.'),
  endedAt: time('When a probe saw it end.').optional(),
  proof: z
    .enum(PROOFS)
    .optional()
    .describe(
      'Whether an independent probe felt the fault. Mismatch: the command was accepted and nothing changed.',
    ),
  message: text(LIMITS.message, 'What the probe saw.').optional(),
});

const scenario = z.object({
  name: text(32, 'As in the spec.'),
  type: text(32, 'As in the spec.'),
  expected: text(16, 'As in the spec.'),
  result: z.enum(RESULTS).optional().describe('How it ended.'),
  observed: z.int().optional().describe('The furthest that was measured: drift, or requests admitted.'),
  bound: z.int().optional().describe('What the invariant allows.'),
  summary: text(32, 'Both in one, as the columns show it: "30 > 5" or "20/10".').optional(),
  detectedAfter: text(24, 'From the moment the invariant was really broken to its detection.').optional(),
  reason: reason.optional().describe('Why it ended so, in one word.'),
  message: text(LIMITS.message, 'Why it ended so, in a sentence.').optional(),
  recovered: text(
    24,
    'From the end of the fault until the counters were seen at rest. Looked for in the Recovery chapter, so it is an upper bound.',
  ).optional(),
  lostCounts: z.int().min(0).optional().describe('Counts that never reached Redis.'),
  attempts: z
    .int()
    .min(0)
    .optional()
    .describe('How many faults were planned for it; more than 1 where one could not be carried out.'),
  fault: fault.optional().describe('The fault that was injected for it.'),
  evidence: z
    .array(z.string().max(LIMITS.evidence))
    .max(LIMITS.evidenceItems)
    .optional()
    .meta({ description: 'What was measured, a sentence each.', ...atomic }),
});

const node = z.object({
  id: text(253, 'Name of the pod.'),
  address: text(64, 'Address it answers on.'),
  state: text(32, 'What the rate limiter says of it: ready, stale ...'),
});

const diagnosis = z.object({
  scenario: text(32, 'The scenario whose anomaly is explained.'),
  anomaly: text(64, 'What was recognised.'),
  component: text(64, 'Which part is at fault.'),
  summary: text(LIMITS.message, 'The explanation.'),
  evidence: z
    .array(z.string().max(LIMITS.evidence))
    .max(LIMITS.evidenceItems)
    .meta({ description: 'The observations it rests on.', ...atomic }),
  recommendation: text(LIMITS.message, 'What to do about it.'),
  provider: text(64, 'Who made it.'),
  confidence: z.enum(['low', 'medium', 'high']).describe('How sure the provider is.'),
});

const pod = z.object({
  name: text(253, 'Name of the pod.'),
  uid: text(64, 'Its uid when the run started.'),
  imageID: text(256, 'The image it ran.'),
});

const run = z.object({
  number: z.int().min(1).describe('Counts the runs of this object.'),
  id: text(128, 'spec.runId of this run.').optional(),
  key: text(80, 'What the run was started for; a spec with another key starts another run.'),
  dryRun: z.boolean().optional().describe('No fault is injected in this run.'),
  requestedAt: text(LIMITS.request, 'The request annotation that started it, where one did.').optional(),
  startedAt: time('When it started.'),
  completedAt: time('When it ended.').optional(),
  awaitingSince: time('Since when it waits for a hand, where it does.').optional(),
  awaited: text(24, 'How long it has waited for a hand so far; does not count for the deadline.').optional(),
  ending: z
    .object({
      phase: z.enum(['Errored', 'Aborted']).describe('How the run will have ended.'),
      reason,
      message: text(LIMITS.message, 'Why.'),
      since: time('When it was decided.'),
      release: z.boolean().describe('Whether a fault is cut short rather than left to end by itself.'),
    })
    .optional()
    .describe('Present while a run is being stopped before its last chapter.'),
  verdict: z
    .object({
      phase: z.enum(['Succeeded', 'Failed', 'Errored', 'Aborted']).describe('How the run ended.'),
      reason,
      message: text(LIMITS.message, 'Why.'),
    })
    .optional()
    .describe('How the run ended, once it has.'),
  pods: z
    .array(pod)
    .max(LIMITS.pods)
    .optional()
    .meta({ description: 'The pods that the run is about.', ...atomic }),
  podTemplate: text(
    128,
    'Hash of the template that these pods came from, by the label that their controller gave them.',
  ).optional(),
});

const history = z.object({
  number: z.int().describe('Number of the run.'),
  id: text(128, 'Its runId.').optional(),
  phase: text(16, 'How it ended.'),
  reason,
  startedAt: time('When it started.'),
  completedAt: time('When it ended.'),
  summary: text(128, 'What its scenarios measured.').optional(),
});

const condition = z.object({
  type: z.enum(Object.keys(CONDITION_TYPES) as [keyof typeof CONDITION_TYPES]).describe('What it is about.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  observedGeneration: z.int().optional().describe('The generation of the spec it speaks of.'),
  lastTransitionTime: time('When status last changed.'),
  reason: reason.describe('Why, in one word of a closed set.'),
  message: z.string().max(1024).describe('Why, in a sentence.'),
});

export const statusSchema = z
  .object({
    observedGeneration: z.int().optional().describe('The generation of the spec this status speaks of.'),
    phase: z.enum(PHASES).optional().describe('Where the object stands; the verdict once its run has ended.'),
    chapter: text(
      96,
      'Title of the chapter on show; "(waiting)" behind it where a hand is awaited.',
    ).optional(),
    progress: text(16, 'Chapter and number of chapters: "5/11".').optional(),
    message: text(LIMITS.message, 'What happens now, or how it ended.').optional(),
    expected: text(16, 'Scenarios that met their expectation, of all: "1/2".').optional(),
    run: run.optional().describe('The run that is on, or the last one.'),
    lastHandledRunRequest: text(
      LIMITS.request,
      'The last value of the requested-at annotation that was acted on.',
    ).optional(),
    chapters: z
      .array(chapter)
      .max(32)
      .optional()
      .meta({ description: 'The story, chapter by chapter.', ...atomic }),
    health: z
      .object({
        nodes: z
          .array(node)
          .max(LIMITS.nodes)
          .meta({ description: 'The nodes, as the rate limiter reports them.', ...atomic }),
        total: z.int().describe('How many nodes there are; nodes lists the first 16.'),
        redisConnected: z.boolean().describe('Whether every node reaches Redis.'),
        hasIssues: z.boolean().describe('Whether anything is not as it should be.'),
        lastTransitionTime: time('When this last changed.'),
      })
      .optional()
      .describe('What the health poller sees.'),
    scenarios: z
      .array(scenario)
      .max(8)
      .optional()
      .meta({ description: 'What became of each scenario, with its evidence.', ...atomic }),
    diagnoses: z
      .array(diagnosis)
      .max(8)
      .optional()
      .meta({ description: 'Explanations of what was detected.', ...atomic }),
    history: z
      .array(history)
      .max(LIMITS.history)
      .optional()
      .meta({ description: 'Earlier runs, newest first.', ...atomic }),
    conditions: z
      .array(condition)
      .max(16)
      .optional()
      .meta({ description: 'The state for programs.', ...atomic }),
  })
  .describe('What happens and what happened. Written by the operator.');

export type ChaosDemoStatus = z.infer<typeof statusSchema>;
export type RunStatus = z.infer<typeof run>;
export type ChapterStatus = z.infer<typeof chapter>;
export type ScenarioStatus = z.infer<typeof scenario>;
export type FaultStatus = z.infer<typeof fault>;
export type HealthStatus = NonNullable<ChaosDemoStatus['health']>;
export type DiagnosisStatus = z.infer<typeof diagnosis>;
export type Verdict = NonNullable<RunStatus['verdict']>;
export type HistoryEntry = z.infer<typeof history>;
export type Phase = (typeof PHASES)[number];
export type ScenarioResult = (typeof RESULTS)[number];
export type FaultProof = (typeof PROOFS)[number];

/**
 * Text cut to a bound of the schema, with an ellipsis where something is gone.
 * Everything that came from elsewhere goes through here on its way into a status.
 */
export function truncate(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}
