/** What doctor finds in a cluster; the API server is played at the wire. */
import { randomUUID } from 'node:crypto';
import { sendJson, sendStatus, startWireServer } from '@chaosdemo/kube-runtime/testing';
import { describe, expect, it } from 'vitest';
import { demoWith } from '../../../../test/fixtures/cli/view/status.ts';
import { secretOf } from '../../../../test/fixtures/subjects/secret.ts';
import { RELEASE, specSchema } from '../../../api/index.ts';
import { rateLimiterApi } from '../../../subjects/ratelimiter/kind.ts';
import { checkAdmission } from './admission-check.ts';
import type { DemoCheckContext } from './check-context.ts';
import { examine } from './doctor.ts';
import type { Finding } from './finding.ts';
import { checkOperator } from './operator-checks.ts';

type Objects = Readonly<Record<string, object | 'Forbidden' | (() => object)>>;

/** The scene of a cluster that has objects by the ends of their paths. */
async function sceneOf(objects: Objects, demoSpec: object = {}): Promise<DemoCheckContext> {
  const wire = await startWireServer(({ path }, response) => {
    const found = Object.entries(objects).find(([end]) => path.endsWith(end))?.[1];
    if (found === 'Forbidden') return sendStatus(response, 403, found);
    const object = typeof found === 'function' ? found() : found;
    return object ? sendJson(response, object) : sendStatus(response, 404, 'NotFound');
  });
  return {
    client: wire.client(),
    namespace: 'shop',
    system: 'chaosdemo-system',
    kubectl: 'kubectl',
    signal: new AbortController().signal,
    demo: demoWith(undefined, demoSpec),
  };
}

describe('the findings of doctor about admission', () => {
  const pod = (name: string, ready = true) => ({
    metadata: { name, uid: name, labels: { app: name } },
    spec: { containers: [{ name: 'main', image: 'main:1', ports: [{ containerPort: 6379 }] }] },
    status: {
      podIP: '10.0.0.7',
      phase: 'Running',
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  });
  const rateLimiter = {
    selector: { matchLabels: { app: 'api' } },
    port: 6379,
    redis: { serviceName: 'redis', authSecretName: 'redis-auth' },
    http: { path: '/$(key)', authSecretName: 'api-auth' },
    limit: { requests: 10, window: '10s' },
  };
  const CLUSTER: Objects = {
    '/namespaces/shop': { metadata: { name: 'shop', labels: { 'chaosdemo.dev/enabled': 'true' } } },
    '/pods': { metadata: {}, items: [pod('api')] },
    '/services/redis': {
      metadata: { name: 'redis' },
      spec: { selector: { app: 'redis' }, ports: [{ port: 6379 }] },
    },
    '/secrets/redis-auth': secretOf('chaosdemo.dev/redis-auth', { password: 'p', service: 'redis' }),
    '/secrets/api-auth': secretOf('chaosdemo.dev/http-auth', {
      selector: 'app=api',
      headers: 'Authorization: x',
    }),
  };
  const found = async (changes: Objects, { redis = {} }: { redis?: object } = {}): Promise<Finding[]> => {
    const spec = specSchema([rateLimiterApi]).parse({
      rateLimiter: { ...rateLimiter, redis: { ...rateLimiter.redis, ...redis } },
      scenarios: [{ name: 's', type: 'StoreOutage', storeOutage: {} }],
    });
    return await checkAdmission(await sceneOf({ ...CLUSTER, ...changes }, spec));
  };
  const without = (end: string): Objects => ({ [end]: undefined as never });

  it('are the target, and a note of what only the operator can check', async () => {
    expect(await found({})).toEqual([
      { check: 'Admission', state: 'ok', message: expect.stringContaining('api') as string },
      { check: 'Connections', state: 'note', message: expect.any(String) as string },
    ]);
  });

  it.each<readonly [string, Objects, string, string]>([
    ['no pod is selected', { '/pods': { metadata: {}, items: [] } }, 'NoSuchPods', 'kubectl -n shop get '],
    [
      'a pod is not Ready',
      { '/pods': { metadata: {}, items: [pod('api'), pod('api', false)] } },
      'Pending',
      'kubectl -n shop describe pods -l app=api',
    ],
    ['there is no Service', without('/services/redis'), 'RedisNotFound', 'kubectl -n shop get '],
    [
      'there is no Secret',
      without('/secrets/redis-auth'),
      'RedisAuthInvalid',
      'kubectl -n shop create secret generic redis-auth --type=chaosdemo.dev/redis-auth ',
    ],
    [
      'the Secret is for another Service',
      { '/secrets/redis-auth': secretOf('chaosdemo.dev/redis-auth', { password: 'p' }) },
      'RedisAuthInvalid',
      `kubectl -n shop patch secret s --type=merge -p '{"stringData":{"service":"redis"}}'`,
    ],
  ])('are the refusal of the operator if %s', async (_, changes, reason, command) => {
    const [finding, ...others] = await found(changes);
    expect(finding).toMatchObject({ check: 'Admission', state: 'wrong', reason });
    expect(finding?.fixCommands).toEqual(command === '' ? [] : [expect.stringContaining(command)]);
    expect(others).toEqual([]);
  });

  it('have commands that are safe to paste, whatever the names in the spec', async () => {
    const [secretFinding] = await found({}, { redis: { authSecretName: "x'; reboot" } });
    expect(secretFinding?.fixCommands?.[0]).toContain(String.raw`generic 'x'\''; reboot' `);
    const [serviceFinding] = await found({}, { redis: { serviceName: 'x: kubectl delete pods --all' } });
    expect(serviceFinding?.fixCommands).toEqual(['kubectl -n shop get services,pods --show-labels']);
  });

  it('are unknown if the user has no permission, whatever the operator may do', async () => {
    const [finding, ...others] = await found({ '/secrets/redis-auth': 'Forbidden' });
    expect(finding).toMatchObject({ check: 'Admission', state: 'unknown' });
    expect(finding?.message).not.toContain('rolebinding');
    expect(others).toEqual([]);
  });
});

describe('the findings of doctor about the operator', () => {
  const install = 'kubectl apply --server-side -k manifests/operator';
  it('are only that there is none, without a second one elsewhere', async () => {
    const context = await sceneOf({});
    expect(await checkOperator(context)).toEqual([
      expect.objectContaining({ check: 'Operator', state: 'wrong', fixCommands: [install] }),
    ]);
    const [elsewhere, ...others] = await checkOperator({ ...context, system: 'nope' });
    expect(elsewhere).toMatchObject({ check: 'Operator', state: 'wrong' });
    expect(elsewhere?.fixCommands).toBeUndefined();
    expect(others).toEqual([]);
  });

  const [major, minor] = RELEASE.split('.', 2).map(Number);
  it.each([
    ['of this version', RELEASE, 'ok'],
    ['with another patch', `${major}.${minor}.99`, 'ok'],
    ['of the next version', `${major}.${(minor ?? 0) + 1}.0`, 'wrong'],
  ])('are that a leader %s leads', async (_, version, state) => {
    // It renews its lease whenever that is read.
    const lease = () => ({
      metadata: { annotations: { 'chaosdemo.dev/version': version } },
      spec: { holderIdentity: 'operator-0', renewTime: randomUUID() },
    });
    const [operator] = await checkOperator(await sceneOf({ '/leases/chaosdemo-operator': lease }));
    expect(operator).toMatchObject({ check: 'Operator', state });
    expect(operator?.message).toContain(version);
  });
});

it('doctor grants nothing in a namespace without the object', async () => {
  const { demo: _, ...context } = await sceneOf({ '/apis/chaosdemo.dev/v1alpha1': {} });
  const words = (await examine(context, 'demo')).map((finding) => JSON.stringify(finding)).join(' ');
  expect(words).toMatch(/no ChaosDemo demo in namespace shop/);
  expect(words).not.toMatch(/label|rolebinding/);
});
