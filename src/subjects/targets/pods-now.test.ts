import { expect, it } from 'vitest';
import { type PodsNow, podsNow, requirePods, restartedSince } from './pods-now.ts';

const never = new AbortController().signal;
const pods = (containers: Record<string, string>, replaced: readonly string[] = []): PodsNow => ({
  replaced,
  containers: new Map(Object.entries(containers)),
});

it('a pod is restarted if its container is another one, and only then', () => {
  const before = pods({ a: '1', b: '2', c: '3' });
  // Of c nothing is known now, and of d nothing was known.
  expect(restartedSince(before, pods({ a: '1', b: '9', d: '4' }))).toEqual(['b']);
  expect(restartedSince(pods({}), pods({ a: '1' }))).toEqual([]);
});

it('nothing is sent if a pod was replaced, or if that is not known', async () => {
  await expect(requirePods(async () => pods({ a: '1' }), never)).resolves.toBeUndefined();
  await expect(requirePods(async () => pods({}, ['a']), never)).rejects.toThrow(/^a: .*replaced/);
  const failing = async (): Promise<PodsNow> => Promise.reject(new Error('no API server'));
  await expect(requirePods(failing, never)).rejects.toThrow('no API server');
  await expect(podsNow(failing, never)).resolves.toEqual(pods({}));
});
