/**
 * A lock as a subject of a real operator, on a real API server: from its object to conditions, columns and metrics. Its pods
 * want TLS and a header of a Secret.
 */
import { readFile } from 'node:fs/promises';
import { registerPods } from '@chaosdemo/testbed';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { certificateFor } from '../kit/certificate.ts';
import { keepingTime } from '../kit/pace.ts';
import { ifRedisErrs, type PlantLock, plantedPods } from '../kit/planted-lock.ts';
import { conditionText } from '../kit/status.ts';
import { World } from '../kit/world.ts';
import { startSidecars } from './support/sidecars.ts';

const NAME = 'worker.shop.svc';
const TOKEN = 'a-token-that-never-appears';

let world: World;
beforeAll(async () => {
  world = await World.start('approximate');
});
afterAll(() => world?.stop());

/** The user of the limiters may use keys with this prefix. */
const under =
  (plant: PlantLock): PlantLock =>
  (store, ...rest) => {
    const lock = plant(store, ...rest);
    return {
      acquire: (key, token) => lock.acquire(`rl:${key}`, token),
      release: (key, token) => lock.release(`rl:${key}`, token),
    };
  };

it(
  'a lock that is granted if Redis errs is violated, in each place that reports it',
  keepingTime(async () => {
    const { controlPlane, namespace, redis, redisUsers } = world.environment;
    const { host, port } = redis;
    const pods = await plantedPods({ host, port, ...redisUsers.limiter }, under(ifRedisErrs(true)));
    const { certFile, keyFile } = await certificateFor(controlPlane.folder, `DNS:${NAME}`);
    const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
    const sidecars = await startSidecars({ nodes: pods, cert, key, token: TOKEN });
    onTestFinished(() => sidecars.stop());
    await controlPlane.kubectl.run([
      ...['-n', namespace, 'create', 'secret', 'generic', 'lock-auth', '--type=chaosdemo.dev/http-auth'],
      ...['--from-literal=selector=app=worker', `--from-literal=headers=authorization: Bearer ${TOKEN}`],
      `--from-file=ca.crt=${certFile}`,
    ]);
    const registered = await registerPods(
      controlPlane.kubectl,
      sidecars.nodes.map(({ host: ip, name, port: number }) => ({
        namespace,
        name,
        labels: { app: 'worker' },
        container: 'worker',
        image: 'local/worker:test',
        imageId: 'local/worker@sha256:0',
        port: { name: 'http', number },
        ip,
        pid: process.pid,
      })),
    );
    await world.applySpec('lock', {
      rateLimiter: undefined,
      lock: {
        selector: { matchLabels: { app: 'worker' } },
        acquire: { path: '/locks/$(key)', token: { pointer: '/token' } },
        release: { path: '/locks/$(key)', headers: [{ name: 'x-lock-token', value: '$(token)' }] },
        ttl: '2s',
        http: { tls: { serverName: NAME, caSecretName: 'lock-auth' }, authSecretName: 'lock-auth' },
        // The limiters of this world are strangers to its pods.
        redis: { serviceName: 'redis', authSecretName: 'redis-auth', otherClients: 'Allow' },
        health: { path: '/healthz' },
      },
      scenarios: [
        { name: 'outage', type: 'Exclusion', countdown: '1s', exclusion: { fault: { duration: '3s' } } },
      ],
    });
    const status = await world.ended('lock');
    expect(status.run).toMatchObject({ phase: 'Failed', reason: 'UnexpectedViolation' });
    expect(status.scenarios).toMatchObject([
      {
        result: 'Violated',
        summary: expect.stringMatching(/^DoubleGrants; \d+ > 1 at once/),
        fault: { proof: 'Confirmed' },
        history: expect.stringMatching(/^sha256:/),
      },
    ]);
    expect(conditionText(status, 'ExclusionViolated')).toBe('True Violated');
    expect(JSON.stringify(status)).not.toContain(TOKEN);
    // What belongs to another subject is not spoken of.
    expect(status.conditions?.map(({ type }) => type)).not.toContain('StoreOutageViolated');
    expect(await world.kubectl('get', 'chaosdemo', 'lock')).toMatch(/outage violated \(DoubleGrants; /);
    await Promise.all(registered.map((pod) => pod.delete()));
  }),
);
