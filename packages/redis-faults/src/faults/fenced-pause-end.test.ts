import { describe, expect, it } from 'vitest';
import { OwnPause } from '../client/own-pause.ts';
import { type ProbeEvent } from '../events.ts';
import { useFakeTime } from '../testing/fake-time.fixture.ts';
import type { FaultTools } from './fault.ts';
import { type ActivePause, FencedPause } from './fenced-pause.ts';

const T = 1_000_000;
const SENT_AT = T + 10;
const UNTIL = T + 2000;

/** Probes of servers that accepted the write that they held back at these times. */
const probesOf = (ends: readonly number[]) =>
  ends.map((at) => ({
    server: { name: 'redis-0' },
    writer: { close: () => undefined },
    write: { sentAt: SENT_AT, taken: Promise.resolve({ at, redisAt: at }) },
  }));

class Begun extends FencedPause {
  readonly #runId: string | undefined;

  constructor(tools: FaultTools, active: unknown, runId: string | undefined) {
    super(tools);
    this.active = active as ActivePause;
    this.#runId = runId;
  }

  protected override get runIdBefore(): string | undefined {
    return this.#runId;
  }
}

describe('the end of a pause', () => {
  interface Seen {
    readonly probes?: readonly unknown[];
    readonly now?: number;
    readonly runIdBefore?: string | undefined;
    readonly runId?: () => string;
  }

  async function ended(ends: readonly number[], seen: Seen = {}) {
    const { now = T + 500, probes = probesOf(ends), runId = () => 'a' } = seen;
    const report = { proof: 'Confirmed', message: 'm', evidence: ['m'] } as const;
    const events: ProbeEvent[] = [];
    const record = (event: { readonly kind: string }): void => void events.push(event as ProbeEvent);
    const redis = { facts: async () => ({ runId: runId() }) };
    const tools = { redis, now: () => now, ownPause: new OwnPause(false) } as unknown as FaultTools;
    const active = { report, probes, released: false, record, until: UNTIL, planned: '2s' };
    const fault = new Begun(tools, active, 'runIdBefore' in seen ? seen.runIdBefore : 'a');
    return { events, report: await fault.awaitEnd(new AbortController().signal) };
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

    const silent = {
      server: {},
      writer: { close: () => undefined },
      write: { sentAt: SENT_AT, taken: new Promise<never>(() => undefined) },
    };

    it.each([
      ['any server', [silent]],
      ['one of two servers', [...probesOf([UNTIL]), silent]],
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
    writer: { close: () => undefined },
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
    const probes = [...probesOf([UNTIL]), lost];
    const { events, report } = await ended([], { probes, now: UNTIL + 30, ...seen });
    expect(report.endedAt).toBe(UNTIL + 30);
    expect(report.evidence.at(-1)).toContain('at the latest 30 ms after');
    expect(report.evidence).toHaveLength(3);
    expect(events.map(({ state, at }) => [state, at])).toEqual(states.map((state) => [state, UNTIL + 30]));
  });
});
