import { describe, expect, it } from 'vitest';
import { WATCHED_AS } from '../../kit/sentinels.ts';
import type { LanePlan } from '../plan.ts';
import { type CommandSent, type FailoverSeen, TortureRecord, type VersionSeen } from '../record.ts';
import { checkFailovers } from './failovers.ts';

const T0 = Date.parse('2026-01-02T03:04:05.000Z');
const LANE = 0;
const PLAN: LanePlan = {
  mode: 'failover',
  countdown: '0s',
  pauseMs: 15_000,
  requestsPerSecond: 60,
  multiplier: 3,
  fault: 'Failover',
};

const iso = (ms: number): string => new Date(T0 + ms).toISOString();
const FAULT = {
  id: 'f1',
  plannedAt: iso(1000),
  until: iso(16_000),
  startedAt: iso(1010),
  endedAt: iso(13_000),
};
const CONFIRMED = { ...FAULT, proof: 'Confirmed' };

interface Story {
  /** In the order in which they were seen, one each second from T0 + 1 s on; undefined: without a fault. */
  readonly faults?: readonly (object | undefined)[];
  /** When each command came to a proxy, and when a Sentinel accepted it and switched; milliseconds after T0. */
  readonly sent?: readonly number[];
  readonly accepted?: readonly number[];
  readonly switched?: readonly number[];
  /** When the status showed that the run is being stopped, and its end. */
  readonly stoppedAt?: number;
  readonly endedAt?: number;
}

/** What is found wrong in a run, which made the failover that it announced unless the story differs. */
function found({
  faults = [CONFIRMED],
  sent = [1010],
  accepted = [1020],
  switched = [3000],
  stoppedAt,
  endedAt = 15_000,
}: Story) {
  const record = new TortureRecord();
  const version = (ms: number, fault: object | undefined, more: object = {}): void => {
    const scenarios = [{ name: 'outage', type: 'StoreOutage', fault }];
    const object = { metadata: { name: 'run', uid: 'u' }, status: { scenarios, ...more } };
    record.note({
      kind: 'version',
      at: T0 + ms,
      lane: LANE,
      type: 'MODIFIED',
      object,
    } as unknown as VersionSeen);
  };
  for (const [i, fault] of faults.entries()) version(1000 * (i + 1), fault);
  if (stoppedAt !== undefined) {
    version(stoppedAt, faults.at(-1), { journal: { stoppingSince: iso(stoppedAt) } });
  }
  version(endedAt, faults.at(-1), { run: { completedAt: iso(endedAt) } });
  for (const ms of sent) {
    const at = T0 + ms;
    const args = ['SENTINEL', 'FAILOVER', WATCHED_AS];
    record.note<CommandSent>({ kind: 'sent', at, passedAt: at, lane: LANE, args });
  }
  const seen = { lane: LANE, sentinel: 0 };
  for (const ms of accepted)
    record.note<FailoverSeen>({ kind: 'failover', at: T0 + ms, ...seen, what: 'accepted' });
  for (const sentinel of [0, 1, 2]) {
    for (const ms of switched) {
      record.note<FailoverSeen>({ kind: 'failover', at: T0 + ms, lane: LANE, sentinel, what: 'switched' });
    }
  }
  return checkFailovers({ record, lane: LANE, plan: PLAN, name: 'run' }).map(({ message }) => message);
}

describe('a failover', () => {
  it('is right once, as announced', () => {
    expect(found({})).toEqual([]);
    expect(found({ faults: [], sent: [], accepted: [], switched: [] })).toEqual([]);
  });

  it('is wrong before it is due, after its end, and after that of the run', () => {
    expect(found({ faults: [], sent: [1010] })).toHaveLength(1);
    expect(found({ faults: [FAULT], sent: [900], accepted: [910] })).toHaveLength(1);
    expect(found({ faults: [FAULT], sent: [16_100], accepted: [16_110], endedAt: 20_000 })).toHaveLength(1);
    expect(found({ faults: [FAULT], sent: [5000], accepted: [5010], endedAt: 4000 })).toHaveLength(1);
    expect(found({ faults: [FAULT], sent: [5000], accepted: [5010], stoppedAt: 4900 })).toHaveLength(1);
    expect(found({ faults: [FAULT], stoppedAt: 1100 })).toEqual([]);
  });

  it('is not over before the Sentinels switch, whatever is proven', () => {
    const early = { ...FAULT, endedAt: iso(1500) };
    expect(found({ faults: [early], stoppedAt: 1400 })).toHaveLength(1);
    expect(found({ faults: [{ ...early, endedAt: undefined }], stoppedAt: 1400 })).toEqual([]);
    // At its time, its end is not a finding.
    expect(found({ faults: [{ ...FAULT, endedAt: FAULT.until }], switched: [17_000] })).toEqual([]);
  });

  it('has to be seen if it is Confirmed, at the time that the status has', () => {
    expect(found({ accepted: [], switched: [] })).toHaveLength(1);
    expect(found({ switched: [] })).toHaveLength(1);
    expect(found({ accepted: [2000] })).toHaveLength(1);
    expect(found({ sent: [1000], accepted: [980] })).toHaveLength(1);
    expect(found({ switched: [14_000] })).toHaveLength(1);
  });
});
