import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { RIGHTS } from './redis-user.ts';

it('the rights of the operator in Redis are those of the documentation', async () => {
  const page = await readFile(new URL('../../../../docs/redis.md', import.meta.url), 'utf8');
  const [documented = ''] = /^-@all .* resetchannels$/m.exec(page) ?? [];
  // For the bundled limiter.
  expect(RIGHTS).toBe(documented.replace(' +hvals', '').replace(' %R~rl:*', ''));
});
