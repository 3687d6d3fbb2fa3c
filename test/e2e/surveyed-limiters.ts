/** Rate limiters that people run, as Deployments of their own: the operator says of them what the survey says. */
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { ChaosDemo } from '../../src/api/index.ts';
import { root } from '../../src/local/run.ts';
import { agreed, readResults } from '../../survey/results.ts';
import { loadLimiter } from '../../survey/runner/limiters.ts';
import { keepingTime } from '../kit/pace.ts';
import type { Cluster } from './support/cluster.ts';
import { provideLimiterImages } from './support/limiter-image.ts';
import { objectsOf, type YourApi, yourDemo } from './support/your-api.ts';

/** One leaves its callers waiting, which the gate of the sample does not accept; one answers with an error, which it does. */
const CASES = [
  {
    name: 'express-rate-limit',
    variant: 'default',
    verdict: { phase: 'Failed', reason: 'UnexpectedViolation' },
  },
  { name: 'redis-rate', variant: 'timeout', verdict: { phase: 'Succeeded', reason: 'ExpectationsMet' } },
] as const;

export function surveyedLimiters(cluster: Cluster): void {
  const apis = new Map<string, YourApi>();

  beforeAll(async () => {
    const limiters = await Promise.all(CASES.map(({ name }) => loadLimiter(name)));
    const images = await provideLimiterImages(limiters, cluster.provided);
    for (const [index, limiter] of limiters.entries()) {
      const variant = limiter.variants.find(({ name }) => name === CASES[index]?.variant);
      if (!variant) throw new TypeError(`the survey has no such variant of ${limiter.name}`);
      const namespace = `your-${limiter.name}`;
      const image = images[index] ?? '';
      const api = { namespace, limiter, variant, image, redisImage: cluster.provided.images.redis };
      apis.set(limiter.name, api);
      await cluster.kubectl.apply(objectsOf(api));
      const rights = [
        '--clusterrole=chaosdemo-target',
        '--serviceaccount=chaosdemo-system:chaosdemo-operator',
      ];
      await cluster.kubectl.run(['create', 'rolebinding', 'chaosdemo-target', '-n', namespace, ...rights]);
    }
    for (const { namespace } of apis.values()) {
      for (const name of ['redis', 'your-api']) {
        await cluster.kubectl.run([
          '-n',
          namespace,
          'rollout',
          'status',
          `deployment/${name}`,
          '--timeout=120s',
        ]);
      }
    }
  });

  for (const { name, variant, verdict } of CASES) {
    it.concurrent(
      `${name} (${variant}): callers get what docs/survey.md says`,
      keepingTime(async () => {
        const api = apis.get(name);
        if (!api) throw new TypeError(`${name} is not deployed`);
        const results = await readResults(join(root, 'docs/survey.json'));
        const surveyed = results.find((each) => each.limiter === name && each.variant === variant);
        const expected = surveyed && agreed(surveyed);
        expect(expected).toBeDefined();

        await cluster.kubectl.apply([await yourDemo(api)]);
        const about = ['-n', api.namespace, 'chaosdemo/your-limiter'];
        await cluster.kubectl.run(['wait', ...about, '--for=condition=Complete', '--timeout=300s']);
        const demo = await cluster.kubectl.json<ChaosDemo>(['get', ...about]);
        await cluster.keep(`${name}.json`, `${JSON.stringify(demo, null, 2)}\n`);
        const [outage, burst] = demo.status?.scenarios ?? [];
        expect(outage).toMatchObject({
          fault: { proof: 'Confirmed' },
          summary: expect.stringMatching(new RegExp(`^${expected}`)),
        });
        expect(burst).toMatchObject({ result: 'Held' });
        expect(demo.status?.run?.verdict).toMatchObject(verdict);
      }),
    );
  }
}
