import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { specSchema } from '../api/index.ts';
import { startWireServer } from '../kube/wire-server.fixture.ts';
import { Session } from './session.ts';

it('asks again for what it might not do, once this process leads again', async () => {
  // Never asked: the first look comes after five seconds.
  const server = await startWireServer((_request, response) => response.destroy());
  onTestFinished(() => server.stop());
  let leads = false;
  let changed = 0;
  const session = new Session({
    client: server.client(),
    logger: pino({ level: 'silent' }),
    demo: {
      apiVersion: 'chaosdemo.dev/v1alpha1',
      kind: 'ChaosDemo',
      metadata: {
        name: 'demo',
        namespace: 'ns',
        uid: 'u',
        resourceVersion: '1',
        generation: 1,
        creationTimestamp: '2026-01-01T00:00:00Z',
      },
      spec: specSchema.parse({
        subject: {
          rateLimiter: { selector: { matchLabels: { app: 'x' } }, redis: { service: { name: 'redis' } } },
        },
      }),
    },
    // Nobody listens at port 1: what matters is that it is tried.
    target: {
      nodes: [],
      notReady: [],
      addresses: [],
      redis: { host: '127.0.0.1', port: 1, tls: false, podName: 'redis-0' },
      store: 'redis-0',
    },
    mayAct: () => leads,
    onChange: () => {
      changed += 1;
    },
  });
  onTestFinished(() => session.close(false));
  const perform = (): void => session.perform([{ kind: 'Restore', id: '1/stop', keys: [], release: true }]);
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
  };

  perform();
  perform();
  await until(() => changed === 1);
  expect(session.observed.restored).toEqual({});
  leads = true;
  perform();
  await until(() => session.observed.restored['1/stop'] !== undefined);
  expect(session.observed.restored['1/stop']).toMatchObject({ ok: false, writesTaken: false });
});
