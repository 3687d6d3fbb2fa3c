/** What the manifests install, as the node runs it. */
import { beforeAll, expect, it } from 'vitest';
import { until } from '../kit/until.ts';
import { type Cluster, isReady, NAMESPACE, SYSTEM } from './support/cluster.ts';

export function installed(cluster: Cluster): void {
  beforeAll(() => cluster.useLimiter('approximate'));

  it.each([SYSTEM, NAMESPACE])('%s takes no pod that is not restricted', async (namespace) => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'root', namespace },
      spec: { containers: [{ name: 'root', image: 'any', securityContext: { privileged: true } }] },
    };
    expect(await cluster.refusal(pod)).toMatch(/violates PodSecurity "restricted:latest": privileged/);
  });

  it('runs two replicas, of which one leads, and says so in its metrics', async () => {
    const pods = await cluster.operatorPods();
    expect(pods.map(isReady)).toEqual([true, true]);
    const names = pods.map(({ metadata }) => metadata.name);
    const leader = await until(
      async () => {
        const holder = await cluster.leader();
        return names.includes(holder) && holder;
      },
      { what: 'a leader' },
    );
    for (const name of names) {
      expect(await cluster.metrics(name)).toMatch(
        new RegExp(`^chaosdemo_leader ${name === leader ? 1 : 0}$`, 'm'),
      );
    }
  });

  it('the operator runs as user 65532, without capabilities, on a read-only disk', async () => {
    const process = await cluster.operatorProcess(await cluster.leader());
    const status = await cluster.onNode(`cat /proc/${process}/status`);
    expect(status).toMatch(/^Uid:\s+65532\s+65532\s+65532\s+65532$/m);
    expect(status).toMatch(/^CapEff:\s+0+$/m);
    expect(status).toMatch(/^CapBnd:\s+0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(status).toMatch(/^Seccomp:\s+2$/m);
    expect(await cluster.onNode(`grep ' / / ' /proc/${process}/mountinfo`)).toMatch(/ \/ \/ ro[, ]/);
  });

  it('has three Ready limiters over one Redis that takes writes', async () => {
    expect((await cluster.limiterPods()).map(isReady)).toEqual([true, true, true]);
    await cluster.writeThroughLimiter();
  });
}
