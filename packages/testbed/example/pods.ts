/** A pod whose container is a Redis of this machine, in a real API server, and what a watch sees when it dies. */
import {
  findControlPlaneBinaries,
  registerPods,
  Supervisor,
  startControlPlane,
  startRedis,
} from '@chaosdemo/testbed';

const progress = (line: string): void => void process.stderr.write(`${line}\n`);
const supervisor = new Supervisor();
try {
  const binaries = await findControlPlaneBinaries({ progress });
  if (!binaries) throw new Error('set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl');
  const { kubectl } = await startControlPlane({ binaries, supervisor });
  const redis = await startRedis({ supervisor });

  await kubectl.createNamespace('shop');
  const [pod] = await registerPods(kubectl, [
    {
      namespace: 'shop',
      name: 'redis-0',
      labels: { app: 'redis' },
      container: 'redis',
      image: 'redis:8',
      imageId: 'process',
      ip: redis.host,
      port: { name: 'redis', number: redis.port },
      pid: redis.pid,
    },
  ]);
  const waiting = kubectl.run(
    'wait pod/redis-0 -n shop --for=condition=Ready=false --timeout=60s'.split(' '),
  );
  await redis.kill9();
  await pod?.setReady(false);
  process.stdout.write(await waiting);
} finally {
  await supervisor.close();
}
