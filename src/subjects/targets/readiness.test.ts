import { expect, it } from 'vitest';
import { pod, unready } from '../../../test/fixtures/subjects/targets/pod.ts';
import { Readiness, selectPods } from './eligible-pods.ts';

const choice = { selector: 'app=limiter', port: 'http', part: 'subject.part' };
const some = selectPods([pod('a'), pod('b', unready)], choice);
const all = selectPods([pod('a'), pod('b')], choice);

it('unready pods get half a minute, and again for a new spec or start', () => {
  let now = 500_000;
  const readiness = new Readiness({ monotonic: () => now });
  const look = (generation: number, eligible = some) =>
    readiness.obstacle({ uid: 'u', generation }, eligible, 'subject.part')?.state;

  expect(look(1)).toBe('waiting');
  now += 30_000;
  expect(look(1)).toBe('refused');
  expect(look(2)).toBe('waiting');
  now += 30_000;
  expect(look(2)).toBe('refused');
  expect(look(2, all)).toBeUndefined();
  expect(look(2)).toBe('waiting');
  now += 30_000;
  readiness.forget('u');
  expect(look(2)).toBe('waiting');
});
