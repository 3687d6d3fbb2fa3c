/**
 * Rate limiters that are not as they should be: a run ends in a condition, an event
 * and a message that says what to do; nothing is injected, and nothing is stuck. The
 * operator gives each of them half a minute, so that all of them are tried at once.
 */
import { freePort, registerPods } from '@chaosdemo/testbed';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { ONE_BURST, rateLimiterOf, redisRef } from '../kit/demo.ts';
import { rows } from '../kit/nightly.ts';
import { conditionText } from '../kit/status.ts';
import { World } from '../kit/world.ts';
import { expectErrored, expectNothingLeftOf, warning } from './support/bad-world.ts';
import { behindGateways, type Conduct, type Rule, startGateways } from './support/gateways.ts';

const NO_BASELINE = rows<readonly [Conduct, string, RegExp]>([
  ['garbage', '/check', /No baseline: .*No pod rejected a request/],
  ['refuse', '/check', /No baseline: .*POST \/check .*responded with 403, which is neither/],
]);

const noBaseline = (conduct: Conduct, path: string): string => `no-baseline-${conduct}-${path.slice(1)}`;
const DEAF = 'unhealthy-deaf';

let notReady: World;
const worlds = new Map<string, World>();
beforeAll(async () => {
  const otherNamespaces = [DEAF, ...NO_BASELINE.map(([conduct, path]) => noBaseline(conduct, path))];
  notReady = await World.start('approximate', { otherNamespaces });
  for (const name of otherNamespaces)
    worlds.set(name, await notReady.addTarget(name, 'approximate', { hosted: true }));
});
afterAll(() => notReady?.stop());

const of = (name: string): World => worlds.get(name) ?? expect.unreachable(`no target ${name}`);

/** A demo on gateways that keep to a rule, in a separate target with the name of the demo. */
async function expectErroredBehind(
  name: string,
  rule: Rule,
  reason: string,
  message: RegExp,
  { onTestFinished }: TestContext,
  changes: object = {},
): Promise<void> {
  const gateways = await startGateways(of(name), rule);
  onTestFinished(() => gateways.stop());
  await expectErrored(of(name), name, { rateLimiter: behindGateways(gateways, changes) }, reason, message);
}

describe.concurrent('a demo', () => {
  it('a run waits for an unready pod, and then uses all pods', async ({ onTestFinished }) => {
    const [, second] = notReady.environment.pods;
    await second?.setReady(false);
    onTestFinished(() => second?.setReady(true));
    await notReady.applySpec('one-short', ONE_BURST);
    const which = 'ratelimiter-1 (2 of 3 are)';
    const waiting = await notReady.untilStatus('one-short', 'the pod to be named', ({ message = '' }) =>
      message.includes(which),
    );
    expect(waiting.message).toContain(`not Ready: ${which}`);
    expect(conditionText(waiting, 'Reconciling')).toBe('True Pending');

    expect(waiting.run).toBeUndefined();

    await second?.setReady(true);
    const { run } = await notReady.ended('one-short');
    expect(run?.phase).toBe('Succeeded');
    expect(run?.podNames).toEqual(['ratelimiter-0', 'ratelimiter-1', 'ratelimiter-2']);
    await expectNothingLeftOf(notReady, 'one-short');
  });

  it('ends Errored and injects nothing if the pods do not answer', async ({ onTestFinished }) => {
    const world = of(DEAF);
    const ip = '127.0.0.110';
    const labels = { 'app.kubernetes.io/name': 'deaf' };
    const [pod] = await registerPods(world.environment.controlPlane.kubectl, [
      {
        namespace: world.namespace,
        name: 'deaf-0',
        labels,
        container: 'deaf',
        image: 'local/deaf:test',
        imageId: 'local/deaf@sha256:0',
        port: { name: 'http', number: await freePort([ip]) },
        ip,
        pid: process.pid,
      },
    ]);
    onTestFinished(() => pod?.delete());
    const message = /Not healthy .*30s: .*ECONNREFUSED.*Nothing was injected\. .*Ready/;
    await expectErrored(
      world,
      'deaf',
      { rateLimiter: behindGateways({ labels }) },
      'TargetUnhealthy',
      message,
    );
  });

  it.for(NO_BASELINE)(
    'ends Errored and injects nothing if it is healthy and answers %s to %s',
    async ([conduct, badPath, message], context) => {
      const rule: Rule = (_, method, path) => (path === badPath && method !== 'DELETE' ? conduct : 'pass');
      // Everything else has to be answered in time, on a busy machine too.
      const changes = { health: { timeout: '10s' } };
      const name = noBaseline(conduct, badPath);
      await expectErroredBehind(name, rule, 'BaselineFailed', message, context, changes);
    },
  );

  it('is not accepted with a wrong password, which nothing repeats', async () => {
    const { environment, namespace } = notReady;
    const password = 'not-the-one';
    const { username } = environment.redisUsers.operator;
    const metadata = { name: 'wrong', namespace };
    const stringData = { username, password, service: 'redis' };
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'chaosdemo.dev/redis-auth',
      metadata,
      stringData,
    };
    await environment.controlPlane.kubectl.apply([secret]);
    const redis = redisRef({ authSecretName: 'wrong' });
    await notReady.applySpec('wrong-password', { rateLimiter: rateLimiterOf({ redis }) });
    const status = await notReady.untilStatus(
      'wrong-password',
      'it to be refused',
      (now) => conditionText(now, 'Stalled') === 'True RedisUnreachable',
    );
    expect(status.run).toBeUndefined();
    const note = await warning(notReady, 'wrong-password', 'RedisUnreachable');
    expect(JSON.stringify(status) + note + notReady.operator.process.logTail()).not.toContain(password);
    await notReady.delete('wrong-password', 20_000);
  });
});
