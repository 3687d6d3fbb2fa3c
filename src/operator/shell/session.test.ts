import { describe, expect, it } from 'vitest';
import {
  admit,
  baseline,
  restore,
  setup,
  untilAborted,
} from '../../../test/fixtures/operator/shell/session.ts';
import { FINALIZER } from '../../api/index.ts';
import type { Activity } from '../../engine/effects.ts';

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
    world.runActivity = async () => {
      throw new Error('cannot go on');
    };
    session.converge([{ kind: 'RecheckPreconditions' }]);
    await clock.advance(999);
    expect(log).toEqual(['carry on PollHealth', 'carry on RecheckPreconditions']);
    await clock.advance(1);
    expect(log.at(-1)).toBe('change');
    session.converge([{ kind: 'RecheckPreconditions' }]);
    await clock.advance(0);
    expect(log.at(-1)).toBe('carry on RecheckPreconditions');
  });
});

it.each([
  ['before a run begins', false, true],
  ['to undo what another process left', true, false],
])('an admission knows that it is %s, whatever finalizers a user has set', async (_, mustUndo, toBegin) => {
  const { clock, requests, session } = setup({ finalizers: [FINALIZER] });
  session.perform([{ kind: 'Admit', id: 'admit/1/1', mustUndo }]);
  await clock.advance(0);
  expect(requests).toMatchObject([{ toBegin, mustUndo }]);
});

describe('a release that a caller awaits', () => {
  it('is tried again every second until no fault is active', async () => {
    const { clock, log, open, session, world } = setup();
    await open();
    const outcomes = [
      new Error('no answer'),
      { ok: false, faultOver: false },
      { ok: false, faultOver: true },
    ];
    world.perform = async (effect) => {
      const outcome = outcomes.shift();
      if (!outcome || outcome instanceof Error) throw outcome ?? new Error('performed too often');
      return { kind: 'Restored', effect: effect.id, restored: { ...outcome, message: 'as it went' } };
    };
    const released = session.release(new AbortController().signal);
    await clock.advance(2000);
    await released;
    expect(log).toEqual(['perform release', 'perform release', 'perform release']);
  });

  it('sends nothing, and ends, once the lead is lost', async () => {
    const { clock, log, open, session, world } = setup();
    await open();
    // As at a shutdown: no new work, and what is on may still be ended.
    world.leads = false;
    const refusals: (string | undefined)[] = [];
    world.perform = async (effect, permit) => {
      refusals.push(permit.refusal());
      world.hasLead = false;
      refusals.push(permit.refusal());
      const restored = { ok: false, faultOver: false, message: 'not yet' };
      return { kind: 'Restored', effect: effect.id, restored };
    };
    const time = new AbortController();
    const released = session.release(time.signal);
    await clock.advance(1000);
    time.abort(new Error('over'));
    await released;
    expect(refusals).toEqual([undefined, expect.stringMatching(/no longer leads$/)]);
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

  it.each([2000, 8000])('releases a lock that is granted during the close, %i ms later', async (admitMs) => {
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
