import { describe, expect, it } from 'vitest';
import { RedisQueue } from './redis-queue.ts';

const REDIS = 'chaosdemo-redis-1';

/** A queue and its clock, in seconds. */
function queue() {
  const time = { s: 1000 };
  const redis = new RedisQueue({ monotonic: () => time.s * 1000 });
  const ask = (uid: string, created = 0, lock = REDIS): string => {
    const creationTimestamp = new Date(created * 1000).toISOString();
    const { place, of } = redis.ask(lock, { uid, creationTimestamp });
    return `${place}/${of}`;
  };
  return { time, redis, ask };
}

describe('the queue for a Redis', () => {
  it('serves who came first, whenever they were created', () => {
    const { time, ask } = queue();
    time.s += 60;
    expect(ask('young', 9)).toBe('1/1');
    time.s += 1;
    expect(ask('old', 1)).toBe('2/2');
    time.s += 10;
    expect(ask('young', 9)).toBe('1/2');
  });

  it('after a change of leader, the queue for a Redis is in order of creation', () => {
    const { time, ask } = queue();
    expect(ask('second', 2)).toBe('1/1');
    time.s += 5;
    expect(ask('third', 3)).toBe('2/2');
    time.s += 5;
    expect(ask('first', 1)).toBe('1/3');
    expect(ask('second', 2)).toBe('2/3');
    // Whoever comes later stands behind these.
    for (const _ of Array.from({ length: 3 })) {
      time.s += 10;
      for (const [i, uid] of ['first', 'second', 'third'].entries()) ask(uid, i + 1);
    }
    expect(ask('eldest', 0)).toBe('4/4');
  });

  it('moves up when somebody leaves, and puts who comes back at the end', () => {
    const { time, redis, ask } = queue();
    time.s += 60;
    ask('a');
    time.s += 1;
    expect(ask('b')).toBe('2/2');
    redis.leave('a');
    expect(ask('b')).toBe('1/1');
    time.s += 1;
    expect(ask('a')).toBe('2/2');
  });

  it('passes over who asks no more', () => {
    const { time, ask } = queue();
    time.s += 60;
    ask('silent');
    for (const _ of Array.from({ length: 4 })) {
      time.s += 10;
      ask('b');
    }
    expect(ask('b')).toBe('1/1');
    expect(ask('silent')).toBe('2/2');
  });

  it('is one for each Redis', () => {
    const { ask } = queue();
    expect(ask('a')).toBe('1/1');
    expect(ask('b', 0, 'chaosdemo-redis-2')).toBe('1/1');
    expect(ask('a', 0, 'chaosdemo-redis-2')).toBe('1/2');
    expect(ask('c')).toBe('1/1');
  });
});
