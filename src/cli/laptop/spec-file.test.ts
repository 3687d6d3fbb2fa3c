import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '@chaosdemo/settings';
import { describe, expect, it } from 'vitest';
import { folderOfFile } from '../../../test/kit/folder.ts';
import type { ApiFacts } from '../probe/manifest.ts';
import { yamlOf } from '../probe/yaml.ts';
import { HEAD, placeOf } from './place.ts';
import { readSpecFile } from './spec-file.ts';

const folder = folderOfFile();

function written(text: string): string {
  const file = join(folder, 'api.yaml');
  writeFileSync(file, text);
  return file;
}

const facts: ApiFacts = {
  request: { method: 'POST', path: '/items', headers: [{ name: 'X-Api-Key', value: '$(key)' }], body: '{}' },
  healthPath: '/healthz',
  limit: { requests: 20, window: '15s', algorithm: 'SlidingWindow' },
  instances: 3,
  place: placeOf({}),
};
const saved = yamlOf({ ...facts, accept: ['FailsOpen'] }, [], HEAD);

describe('a ChaosDemo in a file', () => {
  it('runs as it is, on the API and the Redis of this machine', async () => {
    const inCluster = saved
      .replace('namespace: ratelimiter', 'namespace: shop')
      .replace('app: api', 'app: shop')
      .replace('port: http', 'port: 3000')
      .replace(
        'serviceName: redis',
        'serviceName: cache\n      port: 6380\n      count: { key: "rl:$(key)" }',
      );
    const { demoAt } = await readSpecFile(written(inCluster));
    const demo = demoAt(placeOf({ password: 'secret' }, { allowOtherClients: true }));
    expect(demo.metadata).toEqual({ name: 'api', namespace: 'ratelimiter' });
    expect(demo.spec).toMatchObject({
      rateLimiter: {
        selector: { matchLabels: { app: 'api' } },
        port: 'http',
        limit: facts.limit,
        redis: {
          serviceName: 'redis',
          authSecretName: 'redis-auth',
          otherClients: 'Allow',
          count: { key: 'rl:$(key)' },
        },
      },
      scenarios: [{ type: 'StoreOutage', storeOutage: { accept: ['FailsOpen'] } }, { type: 'GhostAllowing' }],
    });
    expect(demo.spec).not.toHaveProperty('rateLimiter.redis.port');
  });

  it.each([
    ['no YAML', 'a: b: c'],
    ['another kind', 'kind: Pod'],
    ['no rate limiter', 'kind: ChaosDemo\nspec: {}'],
    ['a limit that is none', saved.replace('requests: 20', 'requests: 0')],
    ['HTTPS', saved.replace('path: /items', 'path: /items\n      tls: { serverName: api.shop.svc }')],
    ['TLS to Redis', saved.replace('serviceName: redis', 'serviceName: redis\n      tls: {}')],
  ])('is rejected with what to change: %s', async (_, text) => {
    await expect(readSpecFile(written(text))).rejects.toThrow(UsageError);
  });

  it('names the line to write if the command line has outcomes to accept', async () => {
    const read = readSpecFile(written(saved), ['FailsOpen', 'Hangs']);
    await expect(read).rejects.toThrow(UsageError);
    await expect(read).rejects.toThrow(/storeOutage.*accept: \[FailsOpen, Hangs\]$/);
  });
});
