import { userInfo } from 'node:os';
import { expect, it } from 'vitest';
import { cacheRoot } from './cache.ts';

it.each([
  [{ XDG_CACHE_HOME: '/x', HOME: '/home/me' }, '/x/chaosdemo'],
  [{ HOME: '/home/me' }, '/home/me/.cache/chaosdemo'],
  [{ XDG_CACHE_HOME: 'relative', HOME: '/home/me' }, '/home/me/.cache/chaosdemo'],
  [{ XDG_CACHE_HOME: '', HOME: '' }, `${userInfo().homedir}/.cache/chaosdemo`],
])('cacheRoot for %j is %s', (env, folder) => {
  expect(cacheRoot(env)).toBe(folder);
});
