/**
 * Worlds that are not as they should be. Each ends in a condition, an event and a
 * message that says what to do; nothing is injected, and nothing is stuck.
 */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ChaosDemoStatus } from '../../src/api/index.ts';
import { registerPods } from '../../src/local/pods.ts';
import { freePort } from '../../src/local/ports.ts';
import { behindGateways, type Conduct, type Gateways, startGateways } from './support/gateways.ts';
import { until } from './support/until.ts';
import { World } from './support/world.ts';

let world: World;
let gateways: Gateways;
let pausesBefore: number;

beforeAll(async () => {
  world = await World.start('approximate');
  gateways = await startGateways(world, () => 'pass');
  pausesBefore = await world.pauses();
});
afterAll(async () => {
  await gateways?.stop();
  await world?.stop();
});

/** Nothing was injected and nothing is stuck: the demo goes at once, and the operator serves the next one. */
async function expectNothingLeftOf(name: string): Promise<void> {
  await world.kubectl('delete', 'chaosdemo', name, '--timeout=20s');
  await world.untilNo('leases', 'every lease to go');
  expect(await world.limitsOfDemos()).toEqual([]);
  expect(await world.pauses()).toBe(pausesBefore);
  await world.applySpec('next', { dryRun: true });
  expect((await world.ended('next')).run?.verdict?.reason).toBe('DryRunPassed');
  await world.kubectl('delete', 'chaosdemo', 'next', '--timeout=20s');
}

const WRONG_PASSWORD = 'not-the-one';
const selector = { matchLabels: { 'app.kubernetes.io/name': 'ratelimiter' } };
const redis = { service: { name: 'redis' }, authSecretRef: { name: 'redis-auth' } };

/** Applies objects that are gone when the test is. */
async function apply(...objects: { kind: string; metadata: { name: string } }[]): Promise<void> {
  const { controlPlane, namespace } = world.environment;
  await controlPlane.kubectl.apply(
    objects.map((object) => ({
      apiVersion: 'v1',
      ...object,
      metadata: { ...object.metadata, namespace },
    })),
  );
  onTestFinished(async () => {
    for (const { kind, metadata } of objects) {
      await world.kubectl('delete', kind.toLowerCase(), metadata.name, '--ignore-not-found');
    }
  });
}

/** "Status Reason" of a condition. */
function condition({ conditions = [] }: ChaosDemoStatus, type: string): string | undefined {
  const found = conditions.find((candidate) => candidate.type === type);
  return found && `${found.status} ${found.reason}`;
}

interface Event {
  reason: string;
  type: string;
  note: string;
  regarding: { name: string };
}

/** Waits for a Warning of events.k8s.io about a demo. */
async function warning(name: string, reason: string): Promise<string> {
  const { controlPlane, namespace } = world.environment;
  const event = await until(
    async () => {
      const args = ['-n', namespace, 'get', 'events.events.k8s.io'];
      const { items } = await controlPlane.kubectl.json<{ items: Event[] }>(args);
      return items.find((item) => item.regarding.name === name && item.reason === reason);
    },
    { what: `an event ${reason} about ${name}` },
  );
  expect(event.type).toBe('Warning');
  return event.note;
}

describe('a demo is refused', () => {
  async function expectRefused(name: string, spec: object, reason: string, message: RegExp): Promise<void> {
    await world.applySpec(name, spec);
    const status = await world.untilStatus(
      name,
      `${name} to be refused with ${reason}`,
      (now) => condition(now, 'Stalled') === `True ${reason}`,
    );
    expect(status.message).toMatch(message);
    expect(condition(status, 'Ready')).toBe(`False ${reason}`);
    expect(condition(status, 'Complete')).toBe(`False ${reason}`);
    expect(condition(status, 'Reconciling')).toBeUndefined();
    expect(status.phase).toBe('Pending');
    expect(status.run).toBeUndefined();
    expect(JSON.stringify(status)).not.toContain(WRONG_PASSWORD);
    expect(await warning(name, reason)).toMatch(message);
    await expectNothingLeftOf(name);
  }

  it('where no pod has the labels', async () => {
    const rateLimiter = { selector: { matchLabels: { app: 'nobody' } }, redis };
    const message = /"app=nobody" matches no pod.*kubectl get pods --show-labels/;
    await expectRefused('no-pods', { subject: { rateLimiter } }, 'NoSuchPods', message);
  });

  it('where the Service of Redis is missing', async () => {
    const rateLimiter = { selector, redis: { ...redis, service: { name: 'nothing' } } };
    const message = /no Service nothing.*subject\.rateLimiter\.redis\.service/;
    await expectRefused('no-service', { subject: { rateLimiter } }, 'RedisNotFound', message);
  });

  it('where the Service of Redis has no selector', async () => {
    await apply(service('selectorless', { ports: [{ port: 6379 }] }));
    const rateLimiter = { selector, redis: { ...redis, service: { name: 'selectorless' } } };
    const message = /selectorless has no selector.*name a Service with a selector/;
    await expectRefused('no-selector', { subject: { rateLimiter } }, 'RedisNotEligible', message);
  });

  it('where the Service of Redis leads out of the cluster', async () => {
    await apply(service('external', { type: 'ExternalName', externalName: 'redis.example.com' }));
    const rateLimiter = { selector, redis: { ...redis, service: { name: 'external' } } };
    const message = /external is of type ExternalName.*name a Service with a selector/;
    await expectRefused('external', { subject: { rateLimiter } }, 'RedisNotEligible', message);
  });

  it('where no pod stands behind the Service of Redis', async () => {
    await apply(service('empty', { selector: { app: 'nobody' }, ports: [{ port: 6379 }] }));
    const rateLimiter = { selector, redis: { ...redis, service: { name: 'empty' } } };
    const message = /no pod stands behind Service empty: start Redis/;
    await expectRefused('behind-nothing', { subject: { rateLimiter } }, 'RedisNotFound', message);
  });

  it('where the Secret is missing', async () => {
    const rateLimiter = { selector, redis: { ...redis, authSecretRef: { name: 'nothing' } } };
    const message = /no Secret nothing.*make it, or correct/;
    await expectRefused('no-secret', { subject: { rateLimiter } }, 'RedisAuthInvalid', message);
  });

  it("where the Secret is somebody else's", async () => {
    await apply(secret('database', 'Opaque', { password: 'of-a-database' }));
    const rateLimiter = { selector, redis: { ...redis, authSecretRef: { name: 'database' } } };
    const message = /of type Opaque and was not read further: make a new one with --type=/;
    await expectRefused('opaque', { subject: { rateLimiter } }, 'RedisAuthInvalid', message);
  });

  it('where the password is wrong, which nothing repeats', async () => {
    const { username } = world.environment.redisUsers.operator;
    await apply(secret('wrong', 'chaosdemo.dev/redis-auth', { username, password: WRONG_PASSWORD }));
    const rateLimiter = { selector, redis: { ...redis, authSecretRef: { name: 'wrong' } } };
    const message = /WRONGPASS.*correct username and password in the Secret/;
    await expectRefused('wrong-password', { subject: { rateLimiter } }, 'RedisUnreachable', message);
    expect(world.operator.process.logTail()).not.toContain(WRONG_PASSWORD);
  });

  it('where Redis asks for a password and the demo names no Secret', async () => {
    const rateLimiter = { selector, redis: { service: { name: 'redis' } } };
    const message = /NOAUTH.*name a Secret with the password/;
    await expectRefused('no-auth', { subject: { rateLimiter } }, 'RedisUnreachable', message);
  });
});

describe('a demo waits', () => {
  it('for a selected pod that is not Ready, is refused when that lasts, and runs on all pods in the end', async () => {
    const [, second] = world.environment.pods;
    await second?.setReady(false);
    onTestFinished(() => second?.setReady(true));
    await world.applySpec('one-short', { dryRun: true });
    const which = 'ratelimiter-1 (2 of 3 are)';
    const waiting = await world.untilStatus('one-short', 'the pod to be named', ({ message = '' }) =>
      message.includes(which),
    );
    expect(waiting.message).toBe(`Waiting for selected pods that are not Ready: ${which}`);
    expect(condition(waiting, 'Reconciling')).toBe('True Pending');

    const refused = await world.untilStatus(
      'one-short',
      'it to be refused',
      (now) => condition(now, 'Stalled') === 'True PodsNotEligible',
    );
    expect(refused.message).toContain(
      `selected but not Ready within 30s: ${which}: see kubectl describe pod`,
    );
    expect(refused.run).toBeUndefined();

    await second?.setReady(true);
    const { run } = await world.ended('one-short');
    expect(run?.verdict?.reason).toBe('DryRunPassed');
    expect(run?.pods?.map(({ name }) => name)).toEqual(['ratelimiter-0', 'ratelimiter-1', 'ratelimiter-2']);
    await expectNothingLeftOf('one-short');
  });
});

describe('a demo ends Errored and injects nothing', () => {
  async function expectErrored(name: string, spec: object, reason: string, message: RegExp): Promise<void> {
    await world.applySpec(name, spec);
    const status = await world.ended(name);
    expect(status.run?.verdict).toMatchObject({ phase: 'Errored', reason });
    expect(status.message).toMatch(message);
    expect(condition(status, 'Stalled')).toBe(`True ${reason}`);
    expect(condition(status, 'Complete')).toBe(`True ${reason}`);
    expect(condition(status, 'FaultActive')).toBe('False NoFault');
    expect(status.scenarios?.map(({ fault }) => fault)).toEqual([undefined, undefined]);
    expect(await warning(name, 'RunErrored')).toMatch(message);
    // A status that a misbehaving limiter could blow up is one that could not be stored.
    expect(JSON.stringify(status).length).toBeLessThan(32_768);
    await expectNothingLeftOf(name);
  }

  it('where the pods do not answer', async () => {
    const { controlPlane, namespace } = world.environment;
    const ip = '127.0.0.110';
    const labels = { 'app.kubernetes.io/name': 'deaf' };
    const [pod] = await registerPods(controlPlane.kubectl, [
      {
        namespace,
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
    const subject = behindGateways({ ...gateways, labels });
    const message =
      /Not healthy within 30s: .*ECONNREFUSED.*Nothing was injected; see that the pods are Ready/;
    await expectErrored('deaf', { subject }, 'TargetUnhealthy', message);
  });

  it.each<[Conduct, RegExp]>([
    ['garbage', /Not healthy within 30s: .*not as a rate limiter of this interface.*Nothing was injected/],
    ['slow', /Not healthy within 30s: .*not answered within 2000 ms.*Nothing was injected/],
    ['never', /Not healthy within 30s: .*not answered within 2000 ms.*Nothing was injected/],
    ['huge', /Not healthy within 30s: .*(exceeded|max|size).*Nothing was injected/i],
  ])('where the rate limiter answers %s', async (conduct, message) => {
    gateways.rule = () => conduct;
    onTestFinished(() => void (gateways.rule = () => 'pass'));
    await expectErrored(
      `answers-${conduct}`,
      { subject: behindGateways(gateways) },
      'TargetUnhealthy',
      message,
    );
  });

  it.each<[Conduct, string, RegExp]>([
    [
      'garbage',
      '/limit',
      /No baseline: no node took the limit.*see whether the rate limiter serves POST \/limit/,
    ],
    ['refuse', '/limit', /No baseline: no node took the limit.*403.*log in first/],
    ['huge', '/counter', /No baseline: the counters could be read only \d+ times/],
  ])('where it is healthy and answers %s to %s', async (conduct, asked, message) => {
    gateways.rule = (_, method, path) => (path === asked && method !== 'DELETE' ? conduct : 'pass');
    onTestFinished(() => void (gateways.rule = () => 'pass'));
    const name = `${conduct}-${asked.slice(1)}`;
    await expectErrored(name, { subject: behindGateways(gateways) }, 'BaselineFailed', message);
  });
});

function service(name: string, spec: object) {
  return { kind: 'Service', metadata: { name }, spec };
}

function secret(name: string, type: string, stringData: Readonly<Record<string, string>>) {
  return { kind: 'Secret', metadata: { name }, type, stringData };
}
