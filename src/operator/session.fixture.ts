/** For tests only: a session on a subject that does what the test says. */
import { pino } from 'pino';
import { FakeClock, START } from '../../test/simulation/fake-clock.ts';
import { simulatedDefinition, simulatedSpec } from '../../test/simulation/simulated-subject.ts';
import type { ChaosDemo } from '../api/index.ts';
import type { Activity, Effect, SubjectEffect } from '../demo/effects.ts';
import type { Finding } from '../demo/findings.ts';
import type { Admission } from '../demo/observed.ts';
import type { Emit, Permit, SubjectConnector, SubjectDriver } from '../demo/subject.ts';
import { Session } from './session.ts';

const demo: ChaosDemo = {
  apiVersion: 'chaosdemo.dev/v1alpha1',
  kind: 'ChaosDemo',
  metadata: {
    name: 'demo',
    namespace: 'ns',
    uid: 'u',
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
  },
  spec: simulatedSpec(),
};

export type Perform = (effect: SubjectEffect, permit: Permit, signal: AbortSignal) => Promise<Finding>;

/** The session, and what happened, in its order. */
export function setup(
  options: { perform?: Perform; admission?: Admission; locked?: boolean; admitMs?: number } = {},
) {
  const { admission = { state: 'granted' }, admitMs = 0, locked = true } = options;
  const clock = new FakeClock();
  const log: string[] = [];
  const world = {
    leads: true,
    hasLead: true,
    held: true,
    perform: options.perform ?? (async (effect) => findingOf(effect)),
    carryOn: async (_: Activity, __: Emit, signal: AbortSignal): Promise<void> => {
      await clock.sleep(3_600_000, signal).catch(() => undefined);
    },
  };
  const driver: SubjectDriver = {
    perform: async (effect, permit, signal) => {
      log.push(`perform ${effect.id}`);
      return await world.perform(effect, permit, signal);
    },
    carryOn: async (activity, emit, signal) => {
      log.push(`carry on ${activity.kind}`);
      await world.carryOn(activity, emit, signal);
    },
    close: async () => void log.push('driver closed'),
  };
  const lock = {
    isHeld: () => world.held,
    release: async () => void log.push('lock released'),
    leave: async () => void log.push('lock left'),
  };
  const connector: SubjectConnector = {
    async admit() {
      log.push('admit');
      // One that does not listen to its signal.
      await clock.sleep(admitMs, new AbortController().signal);
      const target = { pods: [], store: 'store-0' };
      return { admission, opened: { target, driver, ...(locked && { lock }) } };
    },
    findPodTemplate: async () => 'a',
    forget: async (uid, keep) => void log.push(`forget ${uid}${keep ? ', lock kept' : ''}`),
  };
  const session = new Session({
    clock,
    logger: pino({ level: 'silent' }),
    subject: { definition: simulatedDefinition, connector },
    demo,
    leads: () => world.leads,
    hasLead: () => world.hasLead,
    onChange: () => log.push('change'),
  });
  const open = async (): Promise<void> => {
    session.perform([admit]);
    await clock.advance(admitMs);
    log.length = 0;
  };
  return { clock, log, open, session, world };
}

export function findingOf(effect: SubjectEffect): Finding {
  if (effect.kind === 'Inject') {
    const report = { startedAt: START, proof: 'Confirmed' as const, message: 'on', evidence: [] };
    return { kind: 'Fault', fault: effect.id, report };
  }
  return { kind: 'Restored', effect: effect.id, restored: { ok: true, faultOver: true, message: 'ok' } };
}

export const admit: Effect = { kind: 'Admit', id: 'admit/1/1', mustUndo: false };
export const restore: Effect = { kind: 'Restore', id: '1/stop', fixtures: [], release: true };
export const baseline: Effect = { kind: 'MeasureBaseline', id: '1/baseline', fixture: 'control' };
export const inject: Effect = {
  kind: 'Inject',
  id: '1-stall-1',
  scenario: 'stall',
  fixture: 'f',
  plannedAt: START,
  until: START + 10_000,
};

/** Never resolves; rejects when its signal aborts. */
export const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
