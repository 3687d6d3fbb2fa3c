/**
 * Rate limiters that people run, as Deployments: the operator finds the outcomes of the survey, by a spec made from the
 * sample, and by one that `kubectl chaosdemo init` wrote.
 */
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { ChaosDemo } from '../../src/api/index.ts';
import { root } from '../../src/local/run.ts';
import { agreed, readResults } from '../../survey/results.ts';
import { loadLimiter } from '../../survey/runner/limiters.ts';
import { keepingTime } from '../kit/pace.ts';
import type { Cluster } from './support/cluster.ts';
import { foundByInit } from './support/found-by-init.ts';
import { provideLimiterImages } from './support/limiter-image.ts';
import { objectsOf, type YourApi, yourDemo } from './support/your-api.ts';

/** One hangs, which the gate does not accept; one answers with an error, which it accepts. */
const CASES = [
  {
    name: 'express-rate-limit',
    variant: 'default',
    demoOf: yourDemo,
    verdict: { phase: 'Failed', reason: 'UnexpectedViolation' },
  },
  {
    name: 'redis-rate',
    variant: 'timeout',
    demoOf: foundByInit,
    verdict: { phase: 'Succeeded', reason: 'ExpectationsMet' },
  },
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
      await cluster.enable(namespace);
      await cluster.kubectl.apply(objectsOf(api));
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

  for (const { demoOf, name, variant, verdict } of CASES) {
    it.concurrent(
      `${name} (${variant}): callers get what docs/survey.md says`,
      keepingTime(async () => {
        const api = apis.get(name);
        if (!api) throw new TypeError(`${name} is not deployed`);
        const results = await readResults(join(root, 'docs/survey.json'));
        const surveyed = results.find((each) => each.limiter === name && each.variant === variant);
        const expected = surveyed && agreed(surveyed);
        expect(expected).toBeDefined();

        const written = await demoOf(api, cluster);
        await cluster.kubectl.apply([written]);
        const about = ['-n', api.namespace, `chaosdemo/${written.metadata.name}`];
        await cluster.kubectl.run(['wait', ...about, '--for=condition=Finished', '--timeout=300s']);
        const demo = await cluster.kubectl.json<ChaosDemo>(['get', ...about]);
        await cluster.keep(`${name}.json`, `${JSON.stringify(demo, null, 2)}\n`);
        const [outage, burst] = demo.status?.scenarios ?? [];
        expect(outage).toMatchObject({
          fault: { proof: 'Confirmed' },
          summary: expect.stringMatching(new RegExp(`^${expected}`)),
        });
        expect(burst).toMatchObject({ result: 'Held' });
        expect(demo.status?.run).toMatchObject(verdict);
      }),
    );
  }
}
