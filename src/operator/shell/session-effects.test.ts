import { describe, expect, it } from 'vitest';
import {
  admit,
  baseline,
  findingOf,
  inject,
  restore,
  setup,
  untilAborted,
} from '../../../test/fixtures/operator/shell/session.ts';
import type { FakeClock } from '../../../test/simulation/fake-clock.ts';
import type { Permit } from '../../engine/subject.ts';
import type { Session } from './session.ts';

describe('effects', () => {
  it('effects run once each, after a driver exists, and their finding is recorded', async () => {
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

  it('are requested again once this process leads again', async () => {
    const { clock, log, open, session, world } = setup();
    await open();
    world.leads = false;
    session.perform([restore]);
    session.perform([restore]);
    await clock.advance(999);
    expect(log).toEqual([]);
    await clock.advance(1);
    expect(log).toContain('change');
    world.leads = true;
    session.perform([restore]);
    await clock.advance(0);
    expect(session.observed.restored['1/stop']).toMatchObject({ ok: true });
  });

  it('failed effects are retried with backoff, at most ten seconds apart', async () => {
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
        // Requested in between, it is not performed.
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

  it('setup effects end before anything is undone, and do not begin after it', async () => {
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

  it('an injection is checked right before it is sent, but not again once it began', async () => {
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
    expect(permit?.refusal()).toMatch(/lock .*lost$/);
    world.held = true;
    world.leads = false;
    expect(permit?.refusal()).toMatch(/no longer leads$/);
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
    expect(permit?.refusal()).toMatch(/restored$/);
  });
});
