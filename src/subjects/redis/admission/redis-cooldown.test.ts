import { describe, expect, it } from 'vitest';
import { MemoryCluster } from '../../../../test/fixtures/subjects/cluster.ts';
import type { Cluster, KeptNote } from '../../cluster.ts';
import {
  type CoolingRedis,
  freeAt,
  MOST_FAULT_MS,
  type NotedFault,
  parseNote,
  RedisCooldown,
  SHARE_OF_MS,
} from './redis-cooldown.ts';

const NOW = 1_800_000_000_000;
const SECOND = 1000;

/** A fault that began so many seconds ago. */
const faultOf = (secondsAgo: number, seconds: number): NotedFault => ({
  from: NOW - secondsAgo * SECOND,
  until: NOW - (secondsAgo - seconds) * SECOND,
});

/** How much of the share before `at` these take. */
function usedBefore(at: number, faults: readonly NotedFault[]): number {
  return faults.reduce(
    (sum, { from, until }) => sum + Math.max(0, Math.min(until, at) - Math.max(from, at - SHARE_OF_MS)),
    0,
  );
}

describe('the share of time in which a Redis may have faults', () => {
  it('is free if there was no fault, or long ago', () => {
    expect(freeAt([], 60 * SECOND, NOW)).toBe(NOW);
    expect(freeAt(parseNote(JSON.stringify([faultOf(660, 60)]), NOW), MOST_FAULT_MS, NOW)).toBe(NOW);
  });

  it('is used up until enough of it has moved out of the last ten minutes', () => {
    const faults = [faultOf(500, 60), faultOf(400, 60), faultOf(300, 30)];
    // All of 150 s are used. The first began 500 s ago, so that 10 s of it are out of the window in 110 s.
    expect(freeAt(faults, 10 * SECOND, NOW)).toBe(NOW + 110 * SECOND);
    expect(freeAt(faults, 60 * SECOND, NOW)).toBe(NOW + 160 * SECOND);
    expect(freeAt(faults, 61 * SECOND, NOW)).toBe(NOW + 201 * SECOND);
  });

  it('the share of faults is kept, and no run waits over ten minutes', () => {
    for (let seed = 1; seed <= 500; seed += 1) {
      let state = seed;
      const random = (most: number): number => {
        state = (state * 48_271) % 2_147_483_647;
        return state % most;
      };
      // One after the other: a Redis has one fault at a time.
      const faults: NotedFault[] = [];
      for (let ago = 720; ago > 61; ) {
        const [gap, seconds] = [random(90), 1 + random(60)];
        ago -= gap + seconds;
        if (ago > 0) faults.push(faultOf(ago + seconds, seconds));
      }
      const need = (1 + random(60)) * SECOND;
      const at = freeAt(faults, need, NOW);
      expect(at).toBeGreaterThanOrEqual(NOW);
      expect(at).toBeLessThanOrEqual(NOW + SHARE_OF_MS);
      expect(usedBefore(at, faults) + need, `seed ${seed}`).toBeLessThanOrEqual(MOST_FAULT_MS);
      if (at > NOW) expect(usedBefore(at - SECOND, faults) + need).toBeGreaterThan(MOST_FAULT_MS);
    }
  });
});

describe('a note on the faults of a Redis', () => {
  it.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['something else', '{"from":1}'],
    ['a list of something else', '[null,1,"x",{},{"from":"1","until":2},{"from":1}]'],
    ['the far future', JSON.stringify([{ from: NOW + 120_000, until: NOW + 130_000 }])],
    ['the past', JSON.stringify([{ from: 1, until: 2 }])],
    ['a fault that ends before it begins', JSON.stringify([{ from: NOW, until: NOW - 1 }])],
  ])('says nothing where it holds %s', (_, text) => {
    expect(parseNote(text, NOW)).toEqual([]);
  });

  it('is believed no fault longer than there are, and no more than it can hold', () => {
    expect(parseNote(JSON.stringify([{ from: NOW, until: 9e15 }]), NOW)).toEqual([
      { from: NOW, until: NOW + 60_000 },
    ]);
    const many = Array.from({ length: 10_000 }, () => ({ from: NOW - 1, until: NOW + 60_000 }));
    const faults = parseNote(JSON.stringify(many), NOW);
    expect(faults).toHaveLength(64);
    expect(freeAt(faults, 60_000, NOW)).toBeLessThanOrEqual(NOW + SHARE_OF_MS);
  });
});

describe('a note that is deleted', () => {
  const { signal } = new AbortController();
  const redis = { namespace: 'shop', runId: 'ab'.repeat(20), pod: { name: 'redis-0', uid: '1' } };

  /** One fault of 60 s, noted by a process, after which the tenant deletes the note. */
  async function noted() {
    const cluster = new MemoryCluster();
    const rest = new RedisCooldown(cluster, 60 * SECOND);
    const notes = rest.notes(redis, { now: () => NOW });
    const fault = { from: NOW, until: NOW + 60 * SECOND };
    expect(await notes.note(fault, signal)).toBeUndefined();
    cluster.notes.clear();
    const until = async (at: number) => await rest.until(redis, 60 * SECOND, at, signal);
    return { cluster, notes, fault, until };
  }

  it('shortens no rest while the process lives that wrote it', async () => {
    const { until } = await noted();
    expect(await until(NOW + 90 * SECOND)).toBe(NOW + 120 * SECOND);
    expect(await until(NOW + 120 * SECOND)).toBeUndefined();
  });

  it('leaves the share of time as used as it was, also for the next note', async () => {
    const { cluster, notes } = await noted();
    for (const s of [60, 120]) {
      await notes.note({ from: NOW + s * SECOND, until: NOW + (s + 45) * SECOND }, signal);
      cluster.notes.clear();
    }
    expect(await notes.note({ from: NOW, until: NOW + SECOND }, signal)).toMatch(/ 2m30s of any 10m/);
  });

  it('is not remembered if the fault was taken back', async () => {
    const { notes, fault, until } = await noted();
    await notes.takeBack(fault, signal);
    expect(await until(NOW)).toBeUndefined();
  });

  it('is forgotten once its faults no longer count', async () => {
    const { until } = await noted();
    expect(await until(NOW + 660 * SECOND)).toBeUndefined();
  });
});

describe('a fault', () => {
  /** The note on a Redis with these faults, and what is noted of another fault. */
  async function noting(faults: readonly NotedFault[], fault: NotedFault) {
    let text = JSON.stringify(faults);
    const cluster = {
      note: async () => ({ text }),
      keepNote: async (note: KeptNote) => {
        text = note.text;
      },
    } as unknown as Cluster;
    const redis = { namespace: 'ns', runId: 'r', pod: { name: 'redis-0', uid: 'u' } };
    const notes = new RedisCooldown(cluster, 1000).notes(redis, { now: () => NOW });
    const refusal = await notes.note(fault, new AbortController().signal);
    return { refusal, noted: parseNote(text, NOW) };
  }

  /** Together 140 s of the 150 s. */
  const before = [faultOf(300, 60), faultOf(200, 60), faultOf(100, 20)];

  it('is noted if it stays within a quarter of the time', async () => {
    const fault = { from: NOW, until: NOW + 10 * SECOND };
    expect(await noting(before, fault)).toEqual({ refusal: undefined, noted: [...before, fault] });
  });

  it('is refused, and not noted, if it goes beyond a quarter of the time', async () => {
    const { noted, refusal } = await noting(before, { from: NOW, until: NOW + 11 * SECOND });
    expect(refusal).toMatch(/ 2m30s of any 10m/);
    expect(noted).toEqual(before);
  });
});

describe('the cool-down after a failover', () => {
  const { signal } = new AbortController();
  const pod = { name: 'redis-0', uid: 'u' };
  const former = { namespace: 'ns', runId: 'a'.repeat(40), pod };
  const successor = { namespace: 'ns', runId: 'b'.repeat(40), pod };
  const lineage = 'c'.repeat(40);

  async function untilOf(noted: CoolingRedis, checked: CoolingRedis): Promise<number | undefined> {
    const rest = new RedisCooldown(new MemoryCluster(), 60 * SECOND);
    const fault = { from: NOW, until: NOW + 20 * SECOND };
    expect(await rest.notes(noted, { now: () => NOW }).note(fault, signal)).toBeUndefined();
    return await rest.until(checked, SECOND, NOW + 30 * SECOND, signal);
  }

  it('is that of both servers, whichever is the primary then', async () => {
    const noted = { ...former, lineage };
    expect(await untilOf(noted, { ...successor, formerLineage: lineage })).toBe(NOW + 80 * SECOND);
    expect(await untilOf(noted, former)).toBe(NOW + 80 * SECOND);
    expect(await untilOf(noted, successor)).toBeUndefined();
    expect(await untilOf(former, { ...successor, formerLineage: lineage })).toBeUndefined();
  });

  it('is taken back with its note', async () => {
    const rest = new RedisCooldown(new MemoryCluster(), 60 * SECOND);
    const notes = rest.notes({ ...former, lineage }, { now: () => NOW });
    const fault = { from: NOW, until: NOW + 20 * SECOND };
    await notes.note(fault, signal);
    await notes.takeBack(fault, signal);
    expect(await rest.until({ ...successor, formerLineage: lineage }, SECOND, NOW, signal)).toBeUndefined();
  });
});
