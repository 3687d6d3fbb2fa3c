import type { RecordEvent } from '@chaosdemo/redis-faults';
import { expect, it, onTestFinished, vi } from 'vitest';
import { outageSetup } from '../../../../test/fixtures/subjects/ratelimiter/simulated-outage.ts';
import type { HistoryEvent } from '../../history/events.ts';
import { History } from '../../history/history.ts';
import { Attempt } from '../../run/attempt.ts';
import type { ScenarioType } from '../../scenarios/scenario-type.ts';
import type { Stage, Workload } from '../../scenarios/workload.ts';
import type { OutageSeen } from '../checkers/outage-seen.ts';
import type { Toolkit } from '../controls/tools.ts';
import type { LimiterPlan } from '../scenarios/limiter-plan.ts';
import { storeOutage } from '../scenarios/store-outage/index.ts';

it('names a Service that has not followed a failover, without a long wait', async () => {
  const toolkit = {
    now: () => Date.now(),
    redis: {
      name: 'redis-0',
      failover: { former: 'redis-0', hasMoved: false },
      follow: async () => Promise.reject(new Error('redis.serviceName leads to redis-0')),
      openProbeWriter: async () => Promise.reject(new Error('READONLY')),
    },
  } as unknown as Toolkit;
  const type = { workload: () => ({}) } as unknown as ScenarioType;
  const attempt = new Attempt(type, { timeoutMs: 50 } as LimiterPlan, toolkit, () => undefined);
  // Longer than any test may take.
  const report = await attempt.recover(3_600_000, new AbortController().signal);
  expect(report.workedAt).toBeUndefined();
  expect(report.message).toContain('redis.serviceName leads to redis-0');
});

it('a closed attempt keeps neither its fault nor its workload', async () => {
  const type = {
    fault: () => ({ inquire: async () => 'Injected' }),
    workload: () => ({}),
  } as unknown as ScenarioType;
  const attempt = new Attempt(type, {} as LimiterPlan, {} as Toolkit, () => undefined);
  await expect(attempt.inquire('marker')).resolves.toBe('Injected');
  attempt.close();
  await expect(attempt.inquire('marker')).resolves.toBe('Unknown');
  await expect(attempt.prepare('demo-a', new AbortController().signal)).rejects.toThrow('closed');
});

type RecordedEvent = Parameters<RecordEvent>[0];

const REPORT = { startedAt: 1000, proof: 'Confirmed', message: 'active', evidence: [] } as const;

/** An attempt with a stall of which this is recorded, and a checker that throws. @param change of its plan */
async function attempted(
  isBad: (event: HistoryEvent) => boolean,
  recorded: readonly RecordedEvent[],
  change: (plan: ReturnType<typeof storeOutage.plan>) => void = () => undefined,
) {
  const { limiter, pods, scenario } = outageSetup();
  const { fold } = storeOutage;
  const step: typeof fold.step = (state, event) => {
    if (isBad(event)) throw new TypeError('a bug');
    return fold.step(state, event);
  };
  const errors: unknown[] = [];
  const type = {
    ...storeOutage,
    fold: { ...fold, step },
    evidence: () => undefined,
    fault: () => ({
      isActive: true,
      prepare: async () => ({ marker: 'x' }),
      prepared: () => undefined,
      inject: async (_, record, allowed) => {
        allowed.refusal();
        for (const event of recorded) record(event);
        return REPORT;
      },
      awaitEnd: async () => REPORT,
      inquire: async () => 'Injected',
    }),
    workload: () =>
      ({
        prepare: async (_: string, stage: Stage, signal: AbortSignal) => {
          await stage.admit(1000, signal);
          stage.record();
          return { usableUntil: 1, message: '' };
        },
      }) as unknown as Workload<OutageSeen>,
  } satisfies Partial<ScenarioType<OutageSeen>> as unknown as ScenarioType;
  const toolkit = {
    now: () => 1000,
    limiter,
    target: { pods: pods.map((name) => ({ name })), redis: [] },
    usualWriteMs: () => 1,
    control: () => undefined,
    budget: {},
  } as unknown as Toolkit;
  const plan = storeOutage.plan(scenario, limiter);
  change(plan);
  const attempt = new Attempt(type, plan, toolkit, (error) => errors.push(error));
  const { signal } = new AbortController();
  await attempt.prepare('demo-a', signal);
  const permit = { refusal: () => undefined };
  const report = await attempt.inject({ plannedAt: 1000, until: 6000 }, permit, signal);
  return { attempt, errors, report };
}

const ENDED: RecordedEvent = { kind: 'fault', step: 'ConnectionsEnded', at: 1000, connections: {} };
const HELD: RecordedEvent = { kind: 'probe', state: 'Waiting', at: 1151, tookMs: 150 };

it('a stall is Confirmed only if a probe of it is recorded', async () => {
  const { attempt, report } = await attempted(() => false, [ENDED]);
  expect(report).toMatchObject({ proof: 'Inconclusive', startedAt: 1000 });
  expect(attempt.history?.events.at(-1)).toMatchObject({ step: 'Reported', proof: 'Inconclusive' });
  expect((await attempted(() => false, [HELD])).report).toEqual(REPORT);
});

it.each<[string, (event: HistoryEvent) => boolean]>([
  ['at the plan of the fault', (event) => event.kind === 'fault' && event.step === 'Planned'],
  ['at what it has done', (event) => event.kind === 'fault' && event.step === 'ConnectionsEnded'],
  ['at its report', (event) => event.kind === 'fault' && event.step === 'Reported'],
])('a checker that throws %s does not hide the fault', async (_, isBad) => {
  const { attempt, errors, report } = await attempted(isBad, [ENDED, HELD]);
  expect(report).toEqual(REPORT);
  expect(attempt.history?.times).toMatchObject({ startedAt: 1000, until: 6000 });
  expect(errors).toEqual([new TypeError('a bug')]);
});

const THROWS = {
  get: (): never => {
    throw new TypeError('a bug');
  },
};

it.each<[string, Parameters<typeof attempted>[2]]>([
  ['a rule of proof', (plan) => void Object.defineProperty(plan, 'mechanism', THROWS)],
  [
    'the record',
    () => {
      const { append } = History.prototype;
      const broken = vi.spyOn(History.prototype, 'append');
      broken.mockImplementation(function (this: History, event) {
        append.call(this, event);
        if (event.kind === 'fault' && event.step === 'Reported') throw new TypeError('a bug');
      });
      onTestFinished(() => broken.mockRestore());
    },
  ],
])('a fault that was sent is not taken for missed if %s throws', async (_, change) => {
  const { errors, report } = await attempted(() => false, [HELD], change);
  const message = expect.stringMatching(/may have been .*a bug/);
  expect(report).toMatchObject({ proof: 'Inconclusive', message });
  expect(report.startedAt).toBeUndefined();
  expect(errors).toEqual([new TypeError('a bug')]);
});
