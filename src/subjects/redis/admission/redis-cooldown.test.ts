/** How long a Redis cools down after faults, and what a tenant can do about it. */
import type { PerServer } from '@chaosdemo/redis-faults';
import { describe, expect, it } from 'vitest';
import { MemoryCluster } from '../../../../test/fixtures/subjects/cluster.ts';
import { orRefusal, Refusal } from '../../targets/refusal.ts';
import { MOST_REST_MS, noteName, parseNote, RedisCooldown, restUntil } from './redis-cooldown.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const SECOND = 1000;
const MINUTE = 60 * SECOND;

it.each([
  ['three times as long as a fault', 60, 180],
  ['at least the cool-down', 10, 60],
  ['the cool-down after a fault that is over at once', 0, 60],
])('the rest of a Redis is %s', (_, lasted, rest) => {
  const until = NOW + lasted * SECOND;
  expect(restUntil(0, { from: NOW, until }, MINUTE)).toBe(until + rest * SECOND);
});

describe('a note', () => {
  it.each(['', 'x', '[]', '{"from":1}', '-5', '1e12', '9'.repeat(15), '9'.repeat(400)])(
    'that is not plausible counts as none: %s',
    (text) => expect(parseNote(text, NOW)).toBe(0),
  );

  it('delays a run by 6 hours at most', () => {
    expect(parseNote(String(NOW + MOST_REST_MS), NOW)).toBe(NOW + 360 * MINUTE);
    expect(parseNote(String(NOW + MOST_REST_MS + 1), NOW)).toBe(0);
  });
});

describe('the cool-down of a Redis', () => {
  const { signal } = new AbortController();
  const ID = 'ab'.repeat(20);
  const about = { namespace: 'shop', pod: { name: 'redis-0', uid: '1' } };
  const span = (fromS: number, ms: number) => ({
    from: NOW + fromS * SECOND,
    until: NOW + fromS * SECOND + ms,
  });

  /** Two operators, one after the other. */
  function operators(leastMs = MINUTE, ids: PerServer<string> = [ID]) {
    const cluster = new MemoryCluster();
    const operator = () => {
      let now = NOW + 0.5;
      const cooldown = new RedisCooldown(cluster, leastMs, { now: () => now });
      const until = async (at = NOW, those = ids) => {
        now = at;
        const look = () => cooldown.requireOver({ ...about, ids: those }, 'redis-0', signal);
        const found = await orRefusal('shop', look);
        now = NOW + 0.5;
        const [, time = ''] = found instanceof Refusal ? (/ until (\S+Z):/.exec(found.message) ?? []) : [];
        return time === '' ? undefined : Date.parse(time);
      };
      return { note: cooldown.noteFor({ ...about, ids }), until };
    };
    return { cluster, first: operator(), second: operator() };
  }

  it('is noted for the operator that takes over, and ends', async () => {
    const { cluster, first, second } = operators();
    await first.note(span(0, 40 * SECOND), signal);
    expect([...cluster.notes.keys()]).toEqual([noteName(ID)]);
    for (const { until } of [first, second]) {
      expect(await until()).toBe(NOW + 160 * SECOND);
      expect(await until(NOW + 160 * SECOND)).toBeUndefined();
      expect(await until(NOW, ['another'])).toBeUndefined();
    }
  });

  it('does not shrink if its note is deleted or shortened, while its process lives', async () => {
    const { cluster, first, second } = operators();
    await first.note(span(0, 40 * SECOND), signal);
    for (const change of [() => cluster.notes.clear(), () => cluster.notes.set(noteName(ID), '5')]) {
      change();
      expect(await first.until()).toBe(NOW + 160 * SECOND);
    }
    expect(await second.until()).toBeUndefined();
  });

  it('is 6 hours at most, and then plausible for an operator whose clock is behind', async () => {
    const { first, second } = operators();
    for (let i = 0; i < 9; i += 1) await first.note(span(600 * i, 10 * MINUTE), signal);
    const latest = NOW + MOST_REST_MS - 5 * SECOND;
    for (const { until } of [first, second]) expect(await until(NOW - 5 * SECOND)).toBe(latest);
  });

  it('follows no fault that could not be noted for every pod', async () => {
    const { cluster, first, second } = operators(MINUTE, ['a', 'b']);
    const keepNote = cluster.keepNote.bind(cluster);
    cluster.keepNote = async (note) => {
      if (note.name === noteName('b')) throw new Error('not kept');
      await keepNote(note);
    };
    await expect(first.note(span(0, 40 * SECOND), signal)).rejects.toThrow('not kept');
    for (const { until } of [first, second]) expect(await until()).toBeUndefined();
  });
});
