/**
 * A subject that exists only in memory: two faults on something that takes
 * requests. A Stall holds it up for a while and can be released; a Surge is over
 * in a moment. Nothing of it says how the framework has to be.
 */
import { z } from 'zod';
import type { ChaosDemo, ChaosDemoSpec, ScenarioSpec, SubjectApi } from '../../src/api/index.ts';
import {
  API_VERSION,
  durationField,
  KIND,
  parseDuration,
  specSchema,
  subjectPart,
} from '../../src/api/index.ts';
import { type ChapterPlan, chaptersOf } from '../../src/engine/chapter.ts';
import type { Scenario, SubjectDefinition } from '../../src/engine/subject.ts';
import { type Draw, EvidenceRecorder, type FaultEvidence } from '../../src/evidence/index.ts';

const api: SubjectApi = {
  member: 'simulated',
  displayName: 'simulated service',
  schema: z.object({
    pollInterval: durationField('Between two looks.', '100ms', '1m').default('2s'),
    timeout: durationField('Of a request.', '100ms', '1m').default('5s'),
  }),
  rules: [],
  fieldsThatStartNoRun: ['pollInterval', 'timeout'],
  faults: [
    {
      type: 'Stall',
      member: 'stall',
      schema: z.object({
        hold: durationField('How long.', '1s', '10m').default('10s'),
        settle: durationField('Time to settle.', '0s', '1m').default('5s'),
      }),
      conditionMeaning: 'Requests queue up.',
      measures: [{ name: 'queued', unit: 'requests', grows: true, meaning: 'Requests that wait.' }],
      finding: (result, summary) => `${result} ${summary}`,
    },
    {
      type: 'Surge',
      member: 'surge',
      schema: z.object({ settle: durationField('Time to settle.', '0s', '1m').default('2s') }),
      conditionMeaning: 'Requests are lost.',
      measures: [{ name: 'lost', unit: 'requests', grows: true, meaning: 'Requests that got no answer.' }],
      finding: (result, summary) => `${result} ${summary}`,
    },
  ],
  columns: [],
  defaultScenarios: [
    { name: 'stall', type: 'Stall' },
    { name: 'surge', type: 'Surge' },
  ],
  refusals: ['TargetInUse', 'TargetShared'],
  secrets: [],
};

const STORY: readonly ChapterPlan[] = [
  { stage: 'welcome', title: 'Welcome' },
  { stage: 'health', title: 'Cluster Health' },
  { stage: 'setup', title: 'Setup', auto: true },
  { stage: 'chaos', title: 'Stall', of: 'Stall' },
  { stage: 'detection', title: 'Stall Detection', of: 'Stall' },
  { stage: 'diagnosis', title: 'Stall Diagnosis', of: 'Stall' },
  { stage: 'recovery', title: 'Recovery', of: 'Stall', auto: true },
  { stage: 'chaos', title: 'Surge', of: 'Surge' },
  { stage: 'detection', title: 'Surge Detection', of: 'Surge' },
  { stage: 'diagnosis', title: 'Surge Diagnosis', of: 'Surge' },
  { stage: 'complete', title: 'Demo Complete', auto: true },
];

export const simulatedDefinition: SubjectDefinition = {
  api,
  chapters: (spec) => chaptersOf(STORY, spec.scenarios),
  scenarios: (spec) => spec.scenarios.map((scenario) => scenarioOf(spec, scenario)),
  welcome: () => 'Welcome',
};

/** Draws the lines of a history. */
export const drawSimulated: Draw = async (lines) =>
  drawn([...lines].filter(Boolean).map((line) => JSON.parse(line) as SimulatedEvent));

/** A line of a history: each has one moment. */
export interface SimulatedEvent {
  readonly preparedAt?: number;
  readonly sampledAt?: number;
  readonly startedAt?: number;
  readonly recoveredAt?: number;
}

function drawn(events: readonly SimulatedEvent[]): FaultEvidence {
  const recorder = new EvidenceRecorder([{ name: 'store', role: 'store' }]);
  for (const { recoveredAt, sampledAt } of events) {
    if (sampledAt !== undefined) recorder.add(sampledAt, 'store', 'read-latency', sampledAt % 7);
    if (recoveredAt !== undefined) recorder.event(recoveredAt, 'store', 'it answers again');
  }
  const last = (moment: keyof SimulatedEvent) => events.findLast((event) => event[moment])?.[moment];
  const originMs = last('startedAt') ?? last('preparedAt') ?? 0;
  return {
    originMs,
    pods: [{ component: 'store', pod: 'store-0' }],
    bands: [],
    detections: [],
    bundle: recorder.bundle(originMs),
  };
}

function scenarioOf(spec: ChaosDemoSpec, scenario: ScenarioSpec): Scenario {
  const stall = scenario.type === 'Stall';
  const parameters = scenario[stall ? 'stall' : 'surge'];
  const timeoutMs = duration(subjectPart(spec, 'simulated'), 'timeout', '5s');
  const countdownMs = parseDuration(scenario.countdown);
  const faultMs = stall ? duration(parameters, 'hold', '10s') : timeoutMs;
  const settleMs = duration(parameters, 'settle', stall ? '5s' : '2s');
  return {
    name: scenario.name,
    type: scenario.type,
    expect: scenario.expect,
    countdownMs,
    faultMs,
    settleMs,
    storyMs: countdownMs + faultMs + settleMs + timeoutMs,
    load: stall,
    releasable: stall,
    faultTitle: stall ? 'Requests are held up' : 'A surge is sent',
    invariant: stall ? 'no more than 5 requests wait' : 'no more than 10 requests are lost',
  };
}

function duration(part: unknown, field: string, byDefault: string): number {
  const value = (part as Record<string, unknown> | undefined)?.[field];
  return parseDuration(typeof value === 'string' ? value : byDefault);
}

/** Each chapter is left at a moment of its own. */
const SHOWN = { dwell: '3s' };

/** A spec with defaults filled in, as the API server would hand it out. */
export function simulatedSpec(
  changes: Record<string, unknown> & { scenarios?: object[] } = {},
): ChaosDemoSpec {
  const { scenarios = [...api.defaultScenarios] } = changes;
  const expecting = scenarios.map((scenario) => ({ expect: 'Violated', ...scenario }));
  return specSchema([api]).parse({ simulated: {}, pace: SHOWN, ...changes, scenarios: expecting });
}

/** A ChaosDemo of this subject as the API server returns it once it is created. */
export function simulatedDemo(
  spec = simulatedSpec(),
  metadata: Partial<ChaosDemo['metadata']> = {},
): ChaosDemo {
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: {
      name: 'demo',
      namespace: 'ns',
      uid: 'u',
      resourceVersion: '0',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    spec,
  };
}
