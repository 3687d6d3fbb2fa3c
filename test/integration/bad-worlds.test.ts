/**
 * Worlds in which a demo cannot even begin. Each ends in a condition, an event and a
 * message that says what to do; nothing is injected, and nothing is stuck.
 */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { rateLimiterOf, redisRef } from '../kit/demo.ts';
import { conditionText } from '../kit/status.ts';
import { World } from '../kit/world.ts';
import { expectNothingLeftOf, warning } from './support/bad-world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start('approximate');
});
afterAll(() => world?.stop());

const WRONG_PASSWORD = 'not-the-one';
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

describe('a demo is not accepted', () => {
  async function expectRefused(name: string, spec: object, reason: string, message: RegExp): Promise<void> {
    await world.applySpec(name, spec);
    const status = await world.untilStatus(
      name,
      `${name} to be refused with ${reason}`,
      (now) => conditionText(now, 'Stalled') === `True ${reason}`,
    );
    expect(status.message).toMatch(message);
    expect(conditionText(status, 'Ready')).toBe(`False ${reason}`);
    expect(conditionText(status, 'Finished')).toBe(`False ${reason}`);
    expect(conditionText(status, 'Reconciling')).toBeUndefined();
    expect(status.phase).toBe('Pending');
    expect(status.run).toBeUndefined();
    expect(JSON.stringify(status)).not.toContain(WRONG_PASSWORD);
    expect(await warning(world, name, reason)).toMatch(message);
    await expectNothingLeftOf(world, name);
  }

  it('if no pod has the labels', async () => {
    const message = /"app=absent" .*no pod.*kubectl get pods --show-labels/;
    await expectRefused(
      'no-pods',
      { rateLimiter: rateLimiterOf({ selector: { matchLabels: { app: 'absent' } } }) },
      'NoSuchPods',
      message,
    );
  });

  it('if the Service of Redis is missing', async () => {
    const redis = redisRef({ service: 'nothing' });
    const message = /no Service nothing.*rateLimiter\.redis\.service/;
    await expectRefused('no-service', { rateLimiter: rateLimiterOf({ redis }) }, 'RedisNotFound', message);
  });

  it('if the Service of Redis has no selector', async () => {
    await apply(service('selectorless', { ports: [{ port: 6379 }] }));
    const redis = redisRef({ service: 'selectorless' });
    const message = /selectorless has no selector.*Service with a selector/;
    await expectRefused(
      'no-selector',
      { rateLimiter: rateLimiterOf({ redis }) },
      'RedisNotEligible',
      message,
    );
  });

  it('if the Service of Redis points outside the cluster', async () => {
    await apply(service('external', { type: 'ExternalName', externalName: 'redis.example.com' }));
    const redis = redisRef({ service: 'external' });
    const message = /external .*ExternalName.*Service with a selector/;
    await expectRefused('external', { rateLimiter: rateLimiterOf({ redis }) }, 'RedisNotEligible', message);
  });

  it('if the Service of Redis selects no pod', async () => {
    await apply(service('empty', { selector: { app: 'absent' }, ports: [{ port: 6379 }] }));
    const redis = redisRef({ service: 'empty' });
    const message = /Service empty selects no pod: start Redis/;
    await expectRefused(
      'behind-nothing',
      { rateLimiter: rateLimiterOf({ redis }) },
      'RedisNotFound',
      message,
    );
  });

  it('if the Secret is missing', async () => {
    const redis = redisRef({ authSecretName: 'nothing' });
    const message = /no Secret nothing.*or create it: kubectl create secret/;
    await expectRefused('no-secret', { rateLimiter: rateLimiterOf({ redis }) }, 'RedisAuthInvalid', message);
  });

  it('if the Secret has another type', async () => {
    await apply(secret('database', 'Opaque', { password: 'of-a-database' }));
    const redis = redisRef({ authSecretName: 'database' });
    const message = /type Opaque .*not read .*: .*--type=/;
    await expectRefused('opaque', { rateLimiter: rateLimiterOf({ redis }) }, 'RedisAuthInvalid', message);
  });

  it('if the password is wrong, which no message repeats', async () => {
    const { username } = world.environment.redisUsers.operator;
    const login = { username, password: WRONG_PASSWORD, service: 'redis' };
    await apply(secret('wrong', 'chaosdemo.dev/redis-auth', login));
    const redis = redisRef({ authSecretName: 'wrong' });
    const message = /WRONGPASS.*username and password .*Secret/;
    await expectRefused(
      'wrong-password',
      { rateLimiter: rateLimiterOf({ redis }) },
      'RedisUnreachable',
      message,
    );
    expect(world.operator.process.logTail()).not.toContain(WRONG_PASSWORD);
  });

  it('if Redis requires a password and the demo names no Secret', async () => {
    const redis = { service: 'redis' };
    const message = /NOAUTH.*name a Secret with the password/;
    await expectRefused('no-auth', { rateLimiter: rateLimiterOf({ redis }) }, 'RedisUnreachable', message);
  });
});

function service(name: string, spec: object) {
  return { kind: 'Service', metadata: { name }, spec };
}

function secret(name: string, type: string, stringData: Readonly<Record<string, string>>) {
  return { kind: 'Secret', metadata: { name }, type, stringData };
}
