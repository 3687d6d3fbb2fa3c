import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { ChaosDemo } from '../api/index.ts';
import type { Activity, Effect, SubjectEffect } from '../demo/effects.ts';
import type { Finding } from '../demo/findings.ts';
import type { Admission } from '../demo/observed.ts';
import type { Emit, Permit, SubjectConnector, SubjectDriver } from '../demo/subject.ts';
import { Session } from './session.ts';
import { FakeClock, START } from './simulation/fake-clock.ts';
import { simulatedDefinition, simulatedSpec } from './simulation/simulated-subject.ts';

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

type Perform = (effect: SubjectEffect, permit: Permit, signal: AbortSignal) => Promise<Finding>;

/** A session on a subject that does what the test says, and what happened, in its order. */
function setup(
  options: { perform?: Perform; admission?: Admission; locked?: boolean; admitMs?: number } = {},
) {
  const { admission = { state: 'granted' }, admitMs = 0, locked = true } = options;
  const clock = new FakeClock();
  const log: string[] = [];
  const world = {
    leads: true,
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
    onChange: () => log.push('change'),
  });
  const open = async (): Promise<void> => {
    session.perform([admit]);
    await clock.advance(admitMs);
    log.length = 0;
  };
  return { clock, log, open, session, world };
}

function findingOf(effect: SubjectEffect): Finding {
  if (effect.kind === 'Inject') {
    const report = { startedAt: START, proof: 'Confirmed' as const, message: 'on', evidence: [] };
    return { kind: 'Fault', fault: effect.id, report };
  }
  return { kind: 'Restored', effect: effect.id, restored: { ok: true, faultOver: true, message: 'ok' } };
}

const admit: Effect = { kind: 'Admit', id: 'admit/1/1', mustUndo: false };
const restore: Effect = { kind: 'Restore', id: '1/stop', fixtures: [], release: true };
const baseline: Effect = { kind: 'MeasureBaseline', id: '1/baseline' };
const inject: Effect = {
  kind: 'Inject',
  id: '1-stall-1',
  scenario: 'stall',
  fixture: 'f',
  plannedAt: START,
  until: START + 10_000,
};

/** Resolves never, unless its signal aborts. */
const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

describe('effects', () => {
  it('are performed once each, and only once there is a driver; their finding is recorded', async () => {
    const { clock, log, session } = setup({ admitMs: 100 });
    session.perform([admit, restore]);
    session.perform([admit, restore]);
    await clock.advance(100);
    expect(log).toEqual(['admit', 'change']);
    expect(session.observed).toMatchObject({ admission: { state: 'granted' }, target: { store: 'store-0' } });
    session.perform([admit, restore]);
    session.perform([restore]);
    await clock.advance(0);
    expect(log).toEqual(['admit', 'change', 'perform 1/stop', 'change']);
    expect(session.observed.restored['1/stop']).toMatchObject({ ok: true });
  });

  it('are asked for again once this process leads again', async () => {
    const { clock, log, open, session, world } = setup();
    await open();
    world.leads = false;
    session.perform([restore]);
    session.perform([restore]);
    await clock.advance(999);
    expect(log).toEqual([]);
    await clock.advance(1);
    expect(log).toEqual(['change']);
    world.leads = true;
    session.perform([restore]);
    await clock.advance(0);
    expect(session.observed.restored['1/stop']).toMatchObject({ ok: true });
  });

  it('that fail are asked for again later and later, ten seconds at most', async () => {
    const { clock, log, open, session, world } = setup();
    await open();
    world.perform = async () => {
      throw new Error('no answer');
    };
    const waits: number[] = [];
    for (let attempt = 0; attempt < 6; attempt += 1) {
      session.perform([restore]);
      await clock.advance(0);
      const from = clock.monotonic();
      while (log.at(-1) !== 'change') {
        // Asked for in between, it is not performed.
        session.perform([restore]);
        await clock.advance(500);
      }
      waits.push(clock.monotonic() - from);
      log.push('again');
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000]);
    world.perform = async (effect) => findingOf(effect);
    session.perform([restore]);
    await clock.advance(0);
    expect(session.observed.restored['1/stop']).toMatchObject({ ok: true });
  });

  it('that set something up are ended before anything is undone, and not begun after it', async () => {
    const { clock, log, open, session, world } = setup();
    await open();
    world.perform = async (effect, _, signal) => {
      if (effect.kind !== 'MeasureBaseline') return findingOf(effect);
      try {
        return await untilAborted(signal);
      } finally {
        await clock.sleep(300, new AbortController().signal);
        log.push('taken away');
      }
    };
    session.perform([baseline]);
    await clock.advance(50);
    session.perform([restore]);
    await clock.advance(300);
    expect(log).toEqual(['perform 1/baseline', 'taken away', 'perform 1/stop', 'change']);
    session.perform([{ ...baseline, id: '1/baseline/again' }]);
    await clock.advance(20_000);
    expect(log).toHaveLength(4);
    expect(session.observed.baseline).toBeUndefined();
  });
});

describe('an injection', () => {
  it('is noted as begun before anything is sent', async () => {
    const { clock, open, session, world } = setup();
    await open();
    world.perform = async (effect, _, signal) =>
      effect.kind === 'Inject' ? await untilAborted(signal) : findingOf(effect);
    session.perform([inject]);
    await clock.advance(0);
    expect([...session.observed.begun]).toEqual(['1-stall-1']);
  });

  it('that could not be sent is missed, and not tried with the same id', async () => {
    const { clock, log, open, session, world } = setup();
    await open();
    world.perform = async () => {
      throw new Error('no answer');
    };
    session.perform([inject]);
    await clock.advance(60_000);
    session.perform([inject]);
    await clock.advance(60_000);
    expect(log).toEqual(['perform 1-stall-1', 'change']);
    expect(session.observed.faults['1-stall-1']).toMatchObject({ missed: true, message: 'no answer' });
  });

  it.each<
    [
      string,
      (world: { leads: boolean; held: boolean }, clock: FakeClock, session: Session) => unknown,
      string,
    ]
  >([
    ['this process does not lead', (world) => (world.leads = false), 'this operator no longer leads'],
    ['the lock was lost', (world) => (world.held = false), 'the lock on the target was lost'],
    ['it is late', (_, clock) => clock.step(3001), 'its moment has passed'],
    ['a restore has begun', (_, __, session) => session.perform([restore]), 'the run is being restored'],
  ])('is missed where %s', async (_, change, message) => {
    const { clock, log, open, session, world } = setup();
    await open();
    change(world, clock, session);
    session.perform([inject]);
    await clock.advance(0);
    expect(session.observed.faults['1-stall-1']).toMatchObject({ missed: true, message });
    expect(log).not.toContain('perform 1-stall-1');
  });

  it('is asked about right before it is sent: late is all right once it has begun, until its end', async () => {
    const { clock, open, session, world } = setup();
    await open();
    let permit: Permit | undefined;
    world.perform = async (_, given, signal) => {
      permit = given;
      return await untilAborted(signal);
    };
    session.perform([inject]);
    await clock.advance(4000);
    expect(permit?.refusal()).toBeUndefined();
    world.held = false;
    expect(permit?.refusal()).toBe('the lock on the target was lost');
    world.held = true;
    world.leads = false;
    expect(permit?.refusal()).toBe('this operator no longer leads');
    world.leads = true;
    await clock.advance(6000);
    expect(permit?.refusal()).toBe('its moment has passed');
  });

  it('is not permitted any more from the moment in which a release begins', async () => {
    const { clock, open, session, world } = setup();
    await open();
    let permit: Permit | undefined;
    world.perform = async (effect, given, signal) => {
      if (effect.kind === 'Restore') return findingOf(effect);
      permit = given;
      return await untilAborted(signal);
    };
    session.perform([inject]);
    await clock.advance(0);
    void session.release(new AbortController().signal);
    expect(permit?.refusal()).toBe('the run is being restored');
  });
});

describe('activities', () => {
  const poll: Activity = { kind: 'PollHealth', intervalMs: 2000 };

  it('are carried on one of a kind, and started again a second after they failed', async () => {
    const { clock, log, open, session, world } = setup();
    session.converge([poll]);
    await open();
    session.converge([poll]);
    session.converge([poll]);
    await clock.advance(5000);
    expect(log).toEqual(['carry on PollHealth']);
    world.carryOn = async () => {
      throw new Error('cannot go on');
    };
    session.converge([{ kind: 'LookAgain' }]);
    await clock.advance(999);
    expect(log).toEqual(['carry on PollHealth', 'carry on LookAgain']);
    await clock.advance(1);
    expect(log.at(-1)).toBe('change');
    session.converge([{ kind: 'LookAgain' }]);
    await clock.advance(0);
    expect(log.at(-1)).toBe('carry on LookAgain');
  });

  it('mend nothing where the driver was opened only to undo', async () => {
    const refused: Admission = { state: 'refused', reason: 'NamespaceNotEnabled', message: 'label gone' };
    const { clock, open, session, world } = setup({ admission: refused, locked: false });
    await open();
    world.carryOn = async (_, emit) =>
      emit({ kind: 'SecondLook', admission: { state: 'granted' }, gone: ['a'] });
    session.converge([{ kind: 'LookAgain' }]);
    await clock.advance(0);
    expect(session.observed).toMatchObject({ admission: refused, gone: ['a'] });
  });
});

describe('a release that somebody waits for', () => {
  it('is tried again every second until no fault is on', async () => {
    const { clock, log, open, session, world } = setup();
    await open();
    const outcomes = [
      new Error('no answer'),
      { ok: false, faultOver: false },
      { ok: false, faultOver: true },
    ];
    world.perform = async (effect) => {
      const outcome = outcomes.shift();
      if (!outcome || outcome instanceof Error) throw outcome ?? new Error('asked too often');
      return { kind: 'Restored', effect: effect.id, restored: { ...outcome, message: 'as it went' } };
    };
    const released = session.release(new AbortController().signal);
    await clock.advance(2000);
    await released;
    expect(log).toEqual(['perform release', 'perform release', 'perform release']);
  });

  it('is given up when its time is over', async () => {
    const { clock, log, open, session, world } = setup();
    await open();
    world.perform = async (_, __, signal) => await untilAborted(signal);
    const time = new AbortController();
    const released = session.release(time.signal);
    await clock.advance(5000);
    time.abort(new Error('over'));
    await released;
    expect(log).toEqual(['perform release']);
  });
});

describe('closing', () => {
  it.each([
    [false, 'lock released', 'forget u'],
    [true, 'lock left', 'forget u, lock kept'],
  ])('ends what is under way first and then, keepLock %s: %s', async (keepLock, lock, forget) => {
    const { clock, log, open, session, world } = setup();
    await open();
    world.perform = async (_, __, signal) => {
      try {
        return await untilAborted(signal);
      } finally {
        log.push('effect ended');
      }
    };
    session.perform([restore]);
    await clock.advance(0);
    await session.close(keepLock);
    expect(log).toEqual(['perform 1/stop', 'effect ended', 'driver closed', lock, forget]);
    session.perform([admit, restore, baseline]);
    await clock.advance(60_000);
    expect(log).toHaveLength(5);
  });

  it('goes on without what ignores that it has to end, after five seconds', async () => {
    const { clock, log, open, session, world } = setup();
    await open();
    world.perform = () => new Promise(() => {});
    session.perform([restore]);
    await clock.advance(0);
    const closed = session.close(false);
    await clock.advance(4999);
    expect(log).not.toContain('driver closed');
    await clock.advance(1);
    await closed;
    expect(log).toContain('lock released');
  });

  it.each([2000, 8000])('gives back a lock that is granted meanwhile, %i ms later', async (admitMs) => {
    const { clock, log, session } = setup({ admitMs });
    session.perform([admit]);
    await clock.advance(0);
    const closed = session.close(false);
    await clock.advance(admitMs);
    await closed;
    expect(log.toSorted()).toEqual(['admit', 'driver closed', 'forget u', 'lock released']);
    expect(session.isOpen).toBe(false);
  });
});
