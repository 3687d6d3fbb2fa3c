/** The embedded run below the operator: that all of it starts, reports when it breaks, and ends without a trace. */
import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { isAlive } from '../../packages/testbed/src/testing.fixture.ts';
import { type Environment, type EnvironmentOptions, startEnvironment } from '../kit/environment.ts';
import { folderOfTest } from '../kit/folder.ts';

describe('the environment', { timeout: 600_000 }, () => {
  it('an environment has limiters as Ready pods, reports a dead one, leaves nothing', async () => {
    const temporary = isolate();
    const environment = await start({ mode: 'approximate', onProgress: () => {} });
    const { controlPlane, namespace, limiters, redis, redisUsers } = environment;

    expect(limiters.map(({ ip }) => ip)).toEqual(['127.0.0.2', '127.0.0.3', '127.0.0.4']);
    for (const { url } of limiters) {
      expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok' });
    }
    const pods = await podsOf(environment);
    expect(pods.map(({ name, ip, ready }) => ({ name, ip, ready }))).toEqual([
      { name: 'ratelimiter-0', ip: '127.0.0.2', ready: true },
      { name: 'ratelimiter-1', ip: '127.0.0.3', ready: true },
      { name: 'ratelimiter-2', ip: '127.0.0.4', ready: true },
      { name: 'redis-0', ip: '127.0.0.1', ready: true },
    ]);
    const images = pods.filter(({ name }) => name.startsWith('ratelimiter')).map(({ imageId }) => imageId);
    expect(new Set(images).size).toBe(1);

    const { kubectl } = controlPlane;
    const secret = await kubectl.json<{ type: string; data: Record<string, string> }>([
      'get',
      'secret',
      'redis-auth',
      '--namespace',
      namespace,
    ]);
    expect(secret.type).toBe('chaosdemo.dev/redis-auth');
    expect(Buffer.from(secret.data['password'] ?? '', 'base64').toString()).toBe(
      redisUsers.operator.password,
    );
    const operator = new Redis({ host: redis.host, port: redis.port, ...redisUsers.operator });
    onTestFinished(() => operator.disconnect());
    expect(await operator.ping()).toBe('PONG');
    operator.disconnect();

    limiters[1]?.process.kill('SIGKILL');
    expect(await environment.broken).toMatchObject({
      code: 'PROCESS_EXITED',
      message: expect.stringContaining('ratelimiter-1 was ended by SIGKILL'),
    });
    expect((await podsOf(environment)).filter(({ ready }) => !ready).map(({ name }) => name)).toEqual([
      'ratelimiter-1',
    ]);

    await Promise.all([environment.stop(), environment.stop()]);
    const pids = [...limiters.map(({ process }) => process.pid), redis.pid, controlPlane.etcd.pid];
    expect([...pids, controlPlane.apiServer.pid].filter(isAlive)).toEqual([]);
    expect(await readdir(temporary)).toEqual([]);
  });
});

async function start(options: EnvironmentOptions): Promise<Environment> {
  const environment = await startEnvironment(options);
  onTestFinished(() => environment.stop());
  return environment;
}

/** Sends temporary files to a folder of this test and takes the binaries the other tests use. */
function isolate(): string {
  const folder = folderOfTest();
  const before = { TMPDIR: process.env['TMPDIR'], KUBEBUILDER_ASSETS: process.env['KUBEBUILDER_ASSETS'] };
  Object.assign(process.env, {
    TMPDIR: folder,
    KUBEBUILDER_ASSETS: dirname(inject('controlPlane').binaries.kubectl),
  });
  onTestFinished(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  return folder;
}

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status: {
      readonly podIP: string;
      readonly conditions: readonly { readonly type: string; readonly status: string }[];
      readonly containerStatuses: readonly { readonly imageID: string }[];
    };
  }[];
}

async function podsOf({
  controlPlane,
  namespace,
}: Environment): Promise<{ name: string; ip: string; ready: boolean; imageId: string | undefined }[]> {
  const list = await controlPlane.kubectl.json<PodList>(['get', 'pods', '--namespace', namespace]);
  return list.items.map(({ metadata, status }) => ({
    name: metadata.name,
    ip: status.podIP,
    ready: status.conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True'),
    imageId: status.containerStatuses[0]?.imageID,
  }));
}
