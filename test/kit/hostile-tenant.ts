/** A tenant whose Redis servers send what takes long to read. Operators have lost their lead because of each of these. */
import type { KubeApi } from '@chaosdemo/kube-runtime';
import { type Kubectl, registerPods, serviceObject } from '@chaosdemo/testbed';
import {
  type Answers,
  answeringServer,
  bulk,
  INFO,
} from '../../packages/redis-faults/src/testing/answering-server.fixture.ts';
import { ONE_BURST, rateLimiterOf } from './demo.ts';
import { Demos } from './demos.ts';

/** Of each attack. */
const SERVERS = 16;
const LIMITERS = { app: 'limiter' };

const times = (count: number, part: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => part(i)).join('');
const clients = (rest: string) => (address: string) => bulk(`addr=${address} ${rest}`);
const ofCluster = (slots: string, flags = ''): Answers => ({
  INFO: bulk(INFO.replace('standalone', 'cluster')),
  CLUSTER: bulk(`${'a'.repeat(40)} 127.0.0.1:1@2 myself,master${flags} - 0 0 1 connected${slots}\n`),
});
const client = (i: number): string =>
  `id=${i} addr=10.9.${i >> 8}.${i & 255}:1 name=worker-${i} flags=N cmd=get user=${'u'.repeat(180)}\n`;

/** Replies by the name of their attack. */
export const ATTACKS: Readonly<Record<string, Answers>> = {
  'many-clients': { CLIENT: clients(`\n${times(4000, client)}`) },
  'many-fields': { CLIENT: clients(times(110_000, (i) => `f${i}=1 `)) },
  'many-lines': { CLIENT: clients(`\n${'a\n'.repeat(500_000)}`) },
  'long-address': { CLIENT: clients(`\naddr=[${':'.repeat(1_000_000)}]:1 cmd=get`) },
  'many-ranges': ofCluster(times(50_000, () => ' 1 [1->-x]')),
  'all-slots': ofCluster(' 0-16383'.repeat(4000)),
  'many-flags': ofCluster('', ',fail'.repeat(50_000)),
  'many-facts': { INFO: bulk(INFO + times(90_000, (i) => `f${i}:1\n`)) },
  'empty-lines': { INFO: bulk(INFO + '\n'.repeat(1_000_000)) },
  'long-role': { INFO: bulk(INFO.replace('role:master', `role:${'é'.repeat(400_000)}`)) },
};

export interface HostileTenant {
  readonly client: KubeApi;
  readonly kubectl: Kubectl;
  /** Exists already, and the operator watches it. */
  readonly namespace: string;
}

/** Starts servers in this process for these attacks, with a Service and two ChaosDemos for each. */
export async function plantAttacks(
  { client, kubectl, namespace }: HostileTenant,
  names: readonly string[] = Object.keys(ATTACKS),
): Promise<{ readonly demos: Demos; readonly stop: () => Promise<void> }> {
  const servers = await Promise.all(
    names.flatMap((name) =>
      Array.from({ length: SERVERS }, async () => ({
        name,
        ...(await answeringServer(ATTACKS[name] ?? {})),
      })),
    ),
  );
  const podOf = (name: string, labels: Record<string, string>, container: string, port: number) => ({
    namespace,
    name,
    labels,
    container,
    image: `local/${container}:8`,
    imageId: `local/${container}@sha256:8`,
    port: { name: container, number: port },
    ip: '127.0.0.1',
    pid: process.pid,
  });
  // It gets no request, because no Redis is admitted.
  const limiter = podOf('limiter-0', LIMITERS, 'http', servers[0]?.port ?? 1);
  const pods = servers.map(({ name, port }, i) => podOf(`${name}-${i}`, { attack: name }, 'redis', port));
  const services = names.map((name) =>
    serviceObject({ namespace, name, selector: { attack: name }, port: 6379, targetPort: 'redis' }),
  );
  await Promise.all([registerPods(kubectl, [...pods, limiter]), kubectl.apply(services)]);
  const demos = new Demos(client, namespace);
  for (const serviceName of names) {
    for (const nth of [1, 2]) {
      const redis = { serviceName, otherClients: 'Allow' };
      const rateLimiter = rateLimiterOf({ selector: { matchLabels: LIMITERS }, redis });
      await demos.applySpec(`${serviceName}-${nth}`, { ...ONE_BURST, rateLimiter });
    }
  }
  return { demos, stop: async () => void (await Promise.all(servers.map((server) => server.stop()))) };
}
