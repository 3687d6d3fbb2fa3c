/** Enforces the Pod Security Standard `baseline` in each namespace with the label `env=production`. */
import { once } from 'node:events';
import { hostname } from 'node:os';
import { Controller, KubeClient, LeaderElector, Reflector, Store } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import { pino } from 'pino';

const LABEL = 'pod-security.kubernetes.io/enforce';
const NAMESPACES = '/api/v1/namespaces';
const logger = pino();
const client = new KubeClient(loadKubeConfig());
const stop = new AbortController();
const electing = new AbortController();

// The store has the namespaces that lack the label. If one loses it later, it is added to the store.
const store = new Store(logger);
const labelSelector = `env=production,!${LABEL}`;
const reflector = new Reflector({ client, path: NAMESPACES, labelSelector, store, logger });
const controller = new Controller({ name: 'pod-security', reconcile, logger, concurrency: 4 });
store.subscribe(({ object }) => controller.enqueue(object.metadata.name));

async function reconcile(name: string, signal: AbortSignal): Promise<void> {
  if (!store.get(name) || !elector.isLeader()) return;
  const body = { metadata: { labels: { [LABEL]: 'baseline' } } };
  const patch = { method: 'PATCH', contentType: 'application/merge-patch+json', body } as const;
  await client.request({ ...patch, path: `${NAMESPACES}/${name}`, signal });
}

const elector = new LeaderElector({
  client,
  logger,
  namespace: 'kube-system',
  name: 'pod-security',
  identity: hostname(),
  onStartedLeading: () => controller.start(),
  onStoppedLeading: () => stop.abort(),
});
process.once('SIGTERM', () => stop.abort());
const running = [reflector.run(stop.signal), elector.run(electing.signal)];
await once(stop.signal, 'abort');
await controller.stop(5000);
electing.abort(); // Releases the lease, after the last write.
await Promise.all(running);
await client.close();
