import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '@chaosdemo/settings';
import { describe, expect, it } from 'vitest';
import { folderOfFile } from '../../../test/kit/folder.ts';
import type { ChaosDemoSpec } from '../../api/index.ts';
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

  it.each([
    ['outcomes of its store outages', saved],
    ['outcomes of its default scenario', saved.replace(/ {2}scenarios:[^]*/, '')],
  ])('takes outcomes to accept from the command line, in place of %s', async (_, text) => {
    const { demoAt } = await readSpecFile(written(text), ['Hangs']);
    const [outage, ...others] = (demoAt(placeOf({})).spec as Pick<ChaosDemoSpec, 'scenarios'>).scenarios;
    expect(outage).toMatchObject({ type: 'StoreOutage', storeOutage: { accept: ['Hangs'] } });
    for (const other of others) expect(other).not.toHaveProperty('storeOutage');
  });

  it('is rejected with outcomes to accept if it has no store outage', async () => {
    const text = saved.replace('type: StoreOutage', 'type: CounterDrift');
    await expect(readSpecFile(written(text), ['Hangs'])).rejects.toThrow(UsageError);
  });
});
