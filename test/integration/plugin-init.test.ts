/** `kubectl chaosdemo init`: from the objects of a namespace and the answers of a pod to a ChaosDemo that is admitted. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RegisteredPod } from '@chaosdemo/testbed';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startInstances } from '../../src/local/instances.ts';
import type { DemoManifest } from '../kit/demo.ts';
import { folderOfFile } from '../kit/folder.ts';
import { type Kubelet, startKubelet } from '../kit/kubelet.ts';
import { chapterOnShow } from '../kit/status.ts';
import { World } from '../kit/world.ts';
import { startPlugin } from './support/plugin.ts';

const api = fileURLToPath(new URL('../fixtures/local/api-with-limit.ts', import.meta.url));
const addresses = new Map<string, string>();
let world: World;
let kubelet: Kubelet;
const folder = folderOfFile();

beforeAll(async () => {
  world = await World.start('approximate');
  kubelet = await startKubelet(world.environment.controlPlane.kubectl, folder, addresses);
  const { limiters, redis, redisUsers, supervisor } = world.environment;
  // Only the API uses Redis.
  await Promise.all(limiters.map(async ({ process }) => await process.stop(2_000)));
  const { password, username } = redisUsers.admin;
  const instances = await startInstances({
    supervisor,
    name: 'api',
    command: `${process.execPath} ${api}`,
    count: 2,
    redisUrl: `redis://${username}:${password}@${redis.host}:${redis.port}`,
    secrets: [password],
    signal: AbortSignal.timeout(60_000),
  });
  const { kubectl } = world.environment.controlPlane;
  await kubectl.apply([settings()]);
  for (const { name, port } of instances) await registerPod(name, port);
});
afterAll(async () => {
  await kubelet?.stop();
  await world?.stop();
});

function settings(): object {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: world.namespace, name: 'settings' },
    data: { redis: 'redis://:$(REDIS_PASSWORD)@redis.$(NAMESPACE).svc:6379/0' },
  };
}

/** A process as a pod, with what the template of a Deployment has. */
async function registerPod(pod: string, port: number, app = 'api', container: object = {}): Promise<void> {
  const { kubectl } = world.environment.controlPlane;
  const { namespace } = world;
  const spec = {
    namespace,
    name: pod,
    labels: { app },
    container: app,
    image: `local/${app}`,
    imageId: `local/${app}@sha256:0`,
    port: { name: 'http', number: port },
    ip: '127.0.0.1',
  };
  addresses.set(pod, spec.ip);
  const env = [
    { name: 'NAMESPACE', value: namespace },
    { name: 'REDIS_PASSWORD', valueFrom: { secretKeyRef: { name: 'of-the-api', key: 'password' } } },
    { name: 'REDIS_URL', valueFrom: { configMapKeyRef: { name: 'settings', key: 'redis' } } },
  ];
  const containers = [
    {
      name: app,
      image: spec.image,
      ports: [{ name: 'http', containerPort: port }],
      env,
      readinessProbe: { httpGet: { path: '/healthz', port: 'http' } },
      ...container,
    },
  ];
  const metadata = { namespace, name: pod, labels: spec.labels };
  await kubectl.apply([{ apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName: 'local', containers } }]);
  await new RegisteredPod(kubectl, spec).setReady(true);
}

const init = (...args: string[]) => startPlugin(world, ['init', ...args]).ended;

describe('kubectl chaosdemo init', () => {
  it('writes a ChaosDemo that the operator admits, and that passes its controls', async () => {
    const file = join(folder, 'api.yaml');
    const { status, stderr } = await init('-l', 'app=api', '--path=/items', '--yes', `--save=${file}`);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const text = await readFile(file, 'utf8');
    const demo = parse(text) as DemoManifest;
    expect(demo).toMatchObject({
      metadata: { name: 'api', namespace: world.namespace },
      spec: {
        rateLimiter: {
          selector: { matchLabels: { app: 'api' } },
          port: 'http',
          http: { path: '/items', headers: [{ name: 'X-Api-Key', value: '$(key)' }] },
          health: { path: '/healthz' },
          limit: { requests: 10, window: '5s' },
          redis: { serviceName: 'redis', port: 6379, authSecretName: 'redis-auth' },
        },
      },
    });
    expect(text).toMatch(/selector:\n +# found: 2 pods of app=api/);
    expect(text).toMatch(/redis:\n +# found: Service redis:6379 leads to redis-0; REDIS_URL of the pods/);
    await world.applyObject(demo);
    const { run } = await world.untilStatus(
      'api',
      'the chapter after Setup, or the end',
      (now) => chapterOnShow(now) > 3 || now.run?.completedAt !== undefined,
    );
    expect(run?.phase).toBeUndefined();
    await world.delete('api');
  });

  it('prints how to create the user of the operator in Redis', async () => {
    const { status, stderr, stdout } = await init(
      '-l',
      'app=api',
      '--yes',
      '--key-header=X-Api-Key',
      '--limit=10',
    );
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(parse(stdout)).toMatchObject({ kind: 'ChaosDemo' });
    expect(stderr).toContain('ACL SETUSER chaosdemo-operator');
    expect(stderr).toContain('create secret generic redis-auth --type=chaosdemo.dev/redis-auth');
    expect(stderr).not.toContain(world.environment.redisUsers.admin.password);
  });

  it('states which Redis there are, if it is not clear', async () => {
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: world.namespace, name: 'other' },
      spec: { selector: { app: 'other' }, ports: [{ port: 6379 }] },
    };
    await world.environment.controlPlane.kubectl.apply([service]);
    await registerPod('other-0', 6379, 'other', { ports: [{ containerPort: 6379 }] });
    await registerPod('quiet-0', 8080, 'quiet', { env: [] });
    const { status, stderr } = await init('-l', 'app=quiet');
    expect(status).toBe(64);
    expect(stderr).toMatch(/2 candidates for Redis: .*--redis\n.*other:6379.*\n.*redis:6379/);
    const given = await init('-l', 'app=quiet', '--redis=redis');
    expect(given.stderr).toMatch(/redis, given: Service redis:6379[^]*add --yes to send up to /);
  });

  it.each([
    [['-l', 'api'], 64, 'labels of the pods'],
    [['-l', 'app=nothing'], 2, 'matches no pod'],
    [['-l', 'app=api', '--redis=nothing'], 2, 'no Service nothing'],
    [['-l', 'app=api'], 64, '--yes'],
    [['-l', 'app=api', '--port=1', '--yes'], 64, 'connection refused by localhost:1 in api-0'],
  ])('fails for %j', async (args, status, message) => {
    const ended = await init(...args);
    expect(ended.stderr).toContain(message);
    expect(ended).toMatchObject({ status, stdout: '' });
  });
});
