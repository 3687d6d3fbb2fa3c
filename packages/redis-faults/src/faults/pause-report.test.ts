import { describe, expect, it } from 'vitest';
import type { StoreConnections } from '../client/store-connections.ts';
import type { PauseFinding } from '../client/write-probe.ts';
import { type ProbeEvent } from '../events.ts';
import { useFakeTime } from '../testing/fake-time.fixture.ts';
import type { RedisPause } from './pause.ts';
import { awaitPauseEnd, reportOfPause } from './pause-report.ts';

const T = 1_000_000;
const SENT_AT = T + 10;
const UNTIL = T + 2000;

/** A pause whose proof found this. `ends`: when each server accepted the write that it held back. */
function pauseWith(finding: PauseFinding, ends: readonly number[] = [UNTIL], isOver = false): RedisPause {
  const probes = ends.map((at) => ({
    server: { name: 'redis-0' },
    write: { sentAt: SENT_AT, taken: Promise.resolve({ at, redisAt: at }) },
  }));
  return {
    startedAt: T,
    proof: finding.kind === 'held' ? 'Confirmed' : 'Inconclusive',
    message: 'm',
    finding,
    probes,
    isOver,
  } as unknown as RedisPause;
}

const HELD = { kind: 'held', heldMs: 300, reads: 5, slowestReadMs: 1 } as const;

function recorded(finding: PauseFinding, isOver = false) {
  const events: ProbeEvent[] = [];
  const report = reportOfPause(
    pauseWith(finding, [UNTIL], isOver),
    (event) => event.kind === 'probe' && events.push(event),
    T + 500,
  );
  return { events, report };
}

describe('the report of a pause', () => {
  it.each([
    ['silent', 'Unreachable'],
    ['lost', 'Lost'],
    ['refused', 'ReadRefused'],
  ] as const)('records only that a store was %s', (cause, state) => {
    const { events } = recorded({ kind: 'unclear', cause, reason: 'r' });
    expect(events.map((event) => event.state)).toEqual([state]);
  });

  it('of one that is over ends with the write that was accepted, or now', () => {
    const taken = { kind: 'taken', afterMs: 50, at: T + 60 } as const;
    const { events, report } = recorded(taken, true);
    expect(events).toEqual([{ kind: 'probe', state: 'Written', at: T + 60, tookMs: 50 }]);
    expect(report.endedAt).toBe(T + 60);
    expect(recorded(HELD, true).report.endedAt).toBe(T + 500);
  });
});

describe('the end of a pause', () => {
  interface Seen {
    readonly probes?: readonly unknown[];
    readonly now?: number;
    readonly whyEarly?: string;
    readonly runIdBefore?: string | undefined;
    readonly runId?: () => string;
  }

  async function ended(ends: readonly number[], seen: Seen = {}) {
    const { now = T + 500, probes, runId = () => 'a', whyEarly } = seen;
    const pause = { ...pauseWith(HELD, ends), ...(probes && { probes }) } as RedisPause;
    const report = { proof: 'Confirmed', message: 'm', evidence: ['m'] } as const;
    const events: ProbeEvent[] = [];
    const context = {
      redis: { facts: async () => ({ runId: runId() }) } as unknown as StoreConnections,
      now: () => now,
      runIdBefore: 'runIdBefore' in seen ? seen.runIdBefore : 'a',
      whyEarly: () => whyEarly,
    };
    const record = (event: { readonly kind: string }): void => void events.push(event as ProbeEvent);
    const active = { report, pause, record, until: UNTIL, planned: '2s' };
    return { events, report: await awaitPauseEnd(active, context, new AbortController().signal) };
  }

  it('is the last write that a server accepted', async () => {
    const { events, report } = await ended([UNTIL + 20, UNTIL + 10]);
    expect(report).toMatchObject({ proof: 'Confirmed', endedAt: UNTIL + 20, message: 'm' });
    expect(report.evidence).toEqual(['m', expect.stringContaining('20 ms after')]);
    expect(events).toEqual([
      { kind: 'probe', state: 'Written', at: UNTIL + 20, tookMs: UNTIL + 20 - SENT_AT },
    ]);
  });

  describe('without an answer', () => {
    useFakeTime();

    const silent = { server: {}, write: { sentAt: SENT_AT, taken: new Promise<never>(() => undefined) } };

    it.each([
      ['any server', [silent]],
      ['one of two servers', [...pauseWith(HELD).probes, silent]],
    ])('of %s is unknown a minute after the planned end', async (_, probes) => {
      const began = Date.now();
      const { events, report } = await ended([], { probes });
      expect(report.endedAt).toBeUndefined();
      expect(report.proof).toBe('Confirmed');
      expect(events).toEqual([]);
      expect((Date.now() - began - (UNTIL - (T + 500))) / 60_000).toBeCloseTo(1);
    });
  });

  const lost = {
    server: { openProbeWriter: async () => ({ write: async () => 0, close: () => undefined }) },
    write: { sentAt: SENT_AT, taken: Promise.reject(new Error('lost')) },
  };
  lost.write.taken.catch(() => undefined);

  it.each<[string, Seen, readonly string[]]>([
    ['the same Redis', {}, ['Written']],
    ['a restarted Redis', { runId: () => 'b' }, ['Written', 'Restarted']],
    ['a Redis that was not known before', { runIdBefore: undefined }, ['Written']],
    [
      'a Redis that does not answer again',
      {
        runId: () => {
          throw new Error('no answer');
        },
      },
      ['Written'],
    ],
  ])('is at the latest that of a later write to %s', async (_, seen, states) => {
    const probes = [...pauseWith(HELD).probes, lost];
    const { events, report } = await ended([], { probes, now: UNTIL + 30, ...seen });
    expect(report.endedAt).toBe(UNTIL + 30);
    expect(report.evidence.at(-1)).toContain('at the latest 30 ms after');
    expect(report.evidence).toHaveLength(3);
    expect(events.map(({ state, at }) => [state, at])).toEqual(states.map((state) => [state, UNTIL + 30]));
  });
});
