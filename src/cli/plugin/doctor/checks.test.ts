/** What doctor finds in a cluster; the API server is played at the wire. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { sendJson, sendStatus, startWireServer, type WireServer } from '@chaosdemo/kube-runtime/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { demoWith } from '../../../../test/fixtures/cli/view/status.ts';
import { specSchema } from '../../../api/index.ts';
import { rateLimiterApi } from '../../../subjects/ratelimiter/api.ts';
import type { DemoCheckContext } from './check-context.ts';
import type { Finding } from './finding.ts';
import { checkOperator } from './operator-checks.ts';
import { checkRateLimiter } from './subject-checks.ts';

let server: WireServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

const spec = (selector: object, redis = {}): object =>
  specSchema([rateLimiterApi]).parse({
    rateLimiter: {
      selector,
      redis: { service: 'redis', ...redis },
      http: { path: '/$(key)', authSecretName: 'api-auth' },
    },
    scenarios: [{ name: 's', type: 'StoreOutage' }],
  });

/** The scene of a cluster that has these secrets, and grants all but these resources. */
async function sceneOf(
  secrets: Readonly<Record<string, object>>,
  demoSpec: object,
  refused: readonly string[] = [],
  others: Readonly<Record<string, object | 'Forbidden'>> = {},
): Promise<DemoCheckContext> {
  const wire = await startWireServer(({ body, path }, response) => {
    if (path.endsWith('/subjectaccessreviews')) {
      const { resource } = JSON.parse(body).spec.resourceAttributes;
      return sendJson(response, { status: { allowed: !refused.includes(resource) } });
    }
    const name = /\/secrets\/(.+)$/.exec(path)?.[1] ?? '';
    if (secrets[name]) return sendJson(response, { metadata: { name }, ...secrets[name] });
    const other = Object.entries(others).find(([end]) => path.endsWith(end))?.[1];
    if (other === 'Forbidden') return sendStatus(response, 403, other);
    return other ? sendJson(response, other) : sendStatus(response, 404, 'NotFound');
  });
  server = wire;
  return {
    client: wire.client(),
    namespace: 'shop',
    system: 'chaosdemo-system',
    kubectl: 'kubectl',
    signal: new AbortController().signal,
    demo: demoWith(undefined, demoSpec),
  };
}

const redisPod = {
  metadata: { name: 'redis-0', uid: '1', labels: { app: 'redis' } },
  spec: { containers: [{ name: 'redis', ports: [{ containerPort: 6379 }] }] },
  status: { podIP: '10.0.0.7', conditions: [{ type: 'Ready', status: 'True' }] },
};
const service = (name: string) => ({
  metadata: { name },
  spec: { selector: { app: 'redis' }, ports: [{ port: 6379 }] },
});

const found = async (context: DemoCheckContext, check: string): Promise<Finding | undefined> =>
  (await checkRateLimiter(context)).find((finding) => finding.check === check);

function data(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  );
}

const selector = { matchLabels: { app: 'api', tier: 'web' } };
const type = 'chaosdemo.dev/http-auth';
const headers = 'Authorization: Bearer x';

describe('what doctor says of the Secret of a limiter behind HTTP', () => {
  it('is how to create it, for the labels of the spec', async () => {
    const finding = await found(await sceneOf({}, spec(selector)), 'HTTP Secret');
    expect(finding).toMatchObject({ state: 'wrong', reason: 'HTTPAuthInvalid' });
    expect(finding?.fixCommands).toEqual([
      'kubectl -n shop create secret generic api-auth --type=chaosdemo.dev/http-auth --from-literal=selector=app=api,tier=web --from-literal=headers="$HEADERS"',
    ]);
  });

  it('is nothing if it is for these pods', async () => {
    const secret = { type, data: data({ selector: 'app=api', headers }) };
    const finding = await found(await sceneOf({ 'api-auth': secret }, spec(selector)), 'HTTP Secret');
    expect(finding).toMatchObject({ state: 'ok' });
  });

  it('is a deletion first if it is of another type', async () => {
    const finding = await found(
      await sceneOf({ 'api-auth': { type: 'Opaque', data: {} } }, spec(selector)),
      'HTTP Secret',
    );
    expect(finding?.fixCommands?.[0]).toBe('kubectl -n shop delete secret api-auth');
  });

  it('names the labels to add if it is for other pods, and shows no value', async () => {
    const secret = { type, data: data({ selector: 'app=other', headers }) };
    const finding = await found(await sceneOf({ 'api-auth': secret }, spec(selector)), 'HTTP Secret');
    expect(finding?.message).toContain('pods with other labels');
    expect(finding?.fixCommands).toEqual([
      `kubectl -n shop patch secret api-auth --type=merge -p '{"stringData":{"selector":"app=api,tier=web"}}'`,
    ]);
    expect(JSON.stringify(finding)).not.toContain('Bearer x');
  });

  it('has no command if the Secret cannot be read', async () => {
    const secret = { type, data: data({ selector: 'app=api', headers: 'no header' }) };
    const finding = await found(await sceneOf({ 'api-auth': secret }, spec(selector)), 'HTTP Secret');
    expect(finding).toMatchObject({ state: 'wrong', fixCommands: [] });
    expect(finding?.message).toContain('cannot be read');
  });
});

it('adds a password that may hold whatever means something in JSON', async () => {
  const secret = { type: 'chaosdemo.dev/redis-auth', data: data({ username: 'u' }) };
  const named = spec(selector, { authSecretName: 'redis-auth' });
  const cluster = { '/pods': { items: [redisPod] }, '/services/redis': service('redis') };
  const finding = await found(await sceneOf({ 'redis-auth': secret }, named, [], cluster), 'Secret');
  const [command = ''] = finding?.fixCommands ?? [];
  const patch = command.slice(command.indexOf(' -p ') + 4);
  const PASSWORD = String.raw`a"b\c'd$e`;
  const printed = await promisify(execFile)('sh', ['-c', `printf %s ${patch}`], {
    env: { ...process.env, PASSWORD },
  });
  expect(JSON.parse(printed.stdout)).toEqual({ data: data({ password: PASSWORD }) });
});

describe('what doctor says of the Secret of Redis', () => {
  const redisAuth = { type: 'chaosdemo.dev/redis-auth', data: data({ username: 'u', password: 'p' }) };
  const cluster = async (name: string, services: Readonly<Record<string, object>>) =>
    await sceneOf(
      { 'redis-auth': redisAuth },
      spec(selector, { service: name, authSecretName: 'redis-auth' }),
      [],
      { '/pods': { items: [redisPod] }, '/services': { items: [service('redis')] }, ...services },
    );

  it('is no command if the Service that the spec names does not exist', async () => {
    const context = await cluster('rediss', {});
    expect(await found(context, 'Redis')).toMatchObject({
      state: 'wrong',
      fixCommands: [expect.stringContaining('patch chaosdemo demo')],
    });
    const finding = await found(context, 'Secret');
    expect(finding?.state).toBe('note');
    expect(finding?.fixCommands).toBeUndefined();
  });

  it('is a patch that keeps the Service that it is for by its name', async () => {
    const finding = await found(await cluster('other', { '/services/other': service('other') }), 'Secret');
    expect(finding?.fixCommands).toEqual([
      `kubectl -n shop patch secret redis-auth --type=merge -p '{"stringData":{"service":"redis,other"}}'`,
    ]);
  });
});

it('doctor patches the port if the Service of Redis has one other', async () => {
  const named = spec(selector, { port: 6380 });
  const context = await sceneOf({}, named, [], { '/services/redis': service('redis') });
  const finding = await found(context, 'Redis');
  expect(finding?.fixCommands).toEqual([
    `kubectl -n shop patch chaosdemo demo --type=merge -p '{"spec":{"rateLimiter":{"redis":{"port":6379}}}}'`,
  ]);
});

it('doctor names both fixes of a missing Secret of Redis', async () => {
  const cluster = { '/pods': { items: [redisPod] }, '/services/redis': service('redis') };
  const context = await sceneOf({}, spec(selector, { authSecretName: 'redis-auth' }), [], cluster);
  const finding = await found(context, 'Secret');
  expect(finding?.fixCommands?.[0]).toContain('create secret generic redis-auth');
  expect(finding?.otherwise?.command).toContain('{"redis":{"authSecretName":null}}');
});

describe('the findings of doctor about Sentinels', () => {
  const redisAuth = { type: 'chaosdemo.dev/redis-auth', data: data({ username: 'u', password: 'p' }) };
  const sentinel = { service: 'redis-sentinel', masterName: 'limits', authSecretName: 'redis-auth' };
  const cluster = async (pods: object[], services: Readonly<Record<string, object>> = {}) =>
    await sceneOf({ 'redis-auth': redisAuth }, spec(selector, { sentinel }), [], {
      '/pods': { items: pods },
      '/services/redis': service('redis'),
      ...services,
    });
  const sentinels = {
    metadata: { name: 'redis-sentinel' },
    spec: { selector: { app: 'redis' }, ports: [{ port: 26379, targetPort: 6379 }] },
  };

  it('are none if the spec names none', async () => {
    expect(await found(await sceneOf({}, spec(selector)), 'Sentinels')).toBeUndefined();
  });

  it('are the pods behind their Service, and a Secret that is for another', async () => {
    const context = await cluster([redisPod], { '/services/redis-sentinel': sentinels });
    expect(await found(context, 'Sentinels')).toMatchObject({ state: 'ok' });
    expect(await found(context, 'Sentinel Secret')).toMatchObject({
      state: 'wrong',
      fixCommands: [expect.stringContaining('"service":"redis,redis-sentinel"')],
    });
  });

  it('are a pod that is not Ready', async () => {
    const waiting = { ...redisPod, status: { podIP: '10.0.0.8', conditions: [] } };
    const context = await cluster([waiting], { '/services/redis-sentinel': sentinels });
    expect(await found(context, 'Sentinels')).toMatchObject({ state: 'wrong', reason: 'RedisUnreachable' });
  });

  it('are a Service that does not exist, and no change of the Secret for it', async () => {
    const context = await cluster([redisPod]);
    expect(await found(context, 'Sentinels')).toMatchObject({
      state: 'wrong',
      fixCommands: ['kubectl -n shop get services,pods'],
    });
    expect((await found(context, 'Sentinel Secret'))?.fixCommands).toBeUndefined();
  });
});

describe('what doctor says of the port of the limiter', () => {
  const limiter = (ports: object[]) => ({
    metadata: { name: 'api-0', uid: '2', labels: selector.matchLabels },
    spec: { containers: [{ name: 'api', image: 'api:1', ports }] },
    status: { podIP: '10.0.0.8', conditions: [{ type: 'Ready', status: 'True' }] },
  });
  const portSpec = specSchema([rateLimiterApi]).parse({
    rateLimiter: { selector, port: 9999, redis: { service: 'redis' } },
  });
  const pods = async (ports: object[]) =>
    await sceneOf({}, portSpec, [], { '/pods': { items: [limiter(ports)] } });
  const http = { name: 'http', containerPort: 8080 };

  it('is the port to set if the pods declare one other port', async () => {
    const finding = await found(await pods([http]), 'Limiter pods');
    expect(finding).toMatchObject({ state: 'wrong', reason: 'TargetUnhealthy' });
    expect(finding?.message).toMatch(/declare no port 9999, but 8080/);
    expect(finding?.fixCommands?.[0]).toContain('{"rateLimiter":{"port":8080}}');
  });

  it('is no command if they declare several', async () => {
    const finding = await found(await pods([http, { containerPort: 9090 }]), 'Limiter pods');
    expect(finding).toMatchObject({ state: 'wrong', fixCommands: [] });
  });

  it.each([
    ['they declare none', []],
    ['they declare it', [http, { containerPort: 9999 }]],
    ['they declare others of UDP alone', [{ containerPort: 53, protocol: 'UDP' }]],
  ])('is nothing where %s', async (_, ports) => {
    expect(await found(await pods(ports), 'Limiter pods')).toMatchObject({ state: 'ok' });
  });

  it('is nothing if a run has reached them', async () => {
    const context = await pods([http]);
    const status = { run: { number: 1, phase: 'Failed' } };
    const reached = { ...context, demo: { ...context.demo, status } } as unknown as DemoCheckContext;
    expect(await found(reached, 'Limiter pods')).toMatchObject({ state: 'ok' });
  });
});

describe('the findings of doctor about the operator', () => {
  const install = 'kubectl apply --server-side -k manifests/operator';
  const installed = {
    '/deployments': { items: [{ metadata: { name: 'chaosdemo-operator' }, spec: { replicas: 0 } }] },
  };
  const rights = async (refused: readonly string[], others: Readonly<Record<string, object>> = {}) => {
    const findings = await checkOperator(await sceneOf({}, {}, refused, { ...installed, ...others }));
    return findings.find(({ check }) => check === 'Rights');
  };

  it('are only that there is none, with no change of a grant', async () => {
    const binding = { '/namespaces/shop/rolebindings/chaosdemo-target': { roleRef: {}, subjects: [] } };
    const context = await sceneOf({}, {}, ['pods'], binding);
    expect(await checkOperator(context)).toEqual([
      expect.objectContaining({ check: 'Operator', state: 'wrong', fixCommands: [install] }),
    ]);
    const [elsewhere, ...others] = await checkOperator({ ...context, system: 'nope' });
    expect(elsewhere).toMatchObject({ check: 'Operator', state: 'wrong' });
    expect(elsewhere?.fixCommands).toBeUndefined();
    expect(others).toEqual([]);
  });

  it('name the namespace of another one, and do not install a second', async () => {
    const leases = { items: [{ metadata: { namespace: 'chaos' } }] };
    const [finding] = await checkOperator(
      await sceneOf({}, {}, [], { '/coordination.k8s.io/v1/leases': leases }),
    );
    expect(finding?.message).toContain('--operator-namespace chaos');
    expect(finding?.fixCommands).toBeUndefined();
  });

  it.each([
    ['pods', 'wrong'],
    ['configmaps', 'note'],
  ])('have no change of a grant of %s if the user may not see the operator', async (resource, state) => {
    const hidden = { '/leases/chaosdemo-operator': 'Forbidden' } as const;
    const findings = await checkOperator(await sceneOf({}, {}, [resource], hidden));
    expect(findings[0]).toMatchObject({ check: 'Operator', state: 'unknown' });
    expect(findings.find(({ check }) => check === 'Rights')).toMatchObject({ state, fixCommands: [] });
  });

  it('are that evidence is not kept if only its rights are missing', async () => {
    const finding = await rights(['configmaps']);
    expect(finding).toMatchObject({ state: 'note', fixCommands: [install] });
    for (const verb of ['get', 'create', 'patch', 'delete'])
      expect(finding?.message).toContain(`${verb} configmaps`);
  });

  it('are that a run cannot begin if other rights are missing', async () => {
    const finding = await rights(['configmaps', 'pods']);
    expect(finding?.state).toBe('wrong');
    expect(finding?.message).toContain('list pods in namespace shop');
  });

  it.each([
    ['an older ClusterRole', 'chaosdemo-target', 'chaosdemo-operator', [install]],
    [
      'another account, which keeps its rights',
      'chaosdemo-target',
      'another',
      [
        'kubectl -n shop set subject rolebinding chaosdemo-target --serviceaccount=chaosdemo-system:chaosdemo-operator',
      ],
    ],
    [
      'another role',
      'another',
      'chaosdemo-operator',
      [
        'kubectl -n shop delete rolebinding chaosdemo-target',
        'kubectl -n shop create rolebinding chaosdemo-target --clusterrole=chaosdemo-target --serviceaccount=chaosdemo-system:chaosdemo-operator',
      ],
    ],
  ])('fix a binding of %s', async (_, role, account, commands) => {
    const finding = await rights(['leases'], {
      '/clusterroles/chaosdemo-target': { rules: [] },
      '/namespaces/shop/rolebindings/chaosdemo-target': {
        roleRef: { kind: 'ClusterRole', name: role },
        subjects: [{ kind: 'ServiceAccount', namespace: 'chaosdemo-system', name: account }],
      },
    });
    expect(finding?.fixCommands).toEqual(commands);
  });

  it('have no problem with the rights if all are granted', async () => {
    expect(await rights([])).toMatchObject({ state: 'ok' });
  });
});
