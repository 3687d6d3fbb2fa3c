/** helm/chaosdemo-operator: lint, install, test, upgrade, uninstall, by Helm itself. */
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { root } from '../../src/local/kind/command.ts';
import { keepingTime } from '../integration/support/pace.ts';
import { until } from '../integration/support/until.ts';
import { type Cluster, isReady, NAMESPACE, SYSTEM } from './support/cluster.ts';

const CHART = join(root, 'helm/chaosdemo-operator');
const RELEASE = 'chaosdemo';
/** A namespace with a ChaosDemo that the chart knows nothing of. */
const OTHER = 'somebody-else';
const CRD = ['crd', 'chaosdemos.chaosdemo.dev'];

export function chart(cluster: Cluster): void {
  const { redis } = cluster.provided.images;
  const release = ['-n', SYSTEM, '--timeout', '5m'];
  const install = (...more: string[]) =>
    cluster.helm('install', RELEASE, CHART, ...release, '--create-namespace', '--wait', ...more);
  const kept = async (): Promise<boolean> =>
    (await cluster.has(...CRD)) && (await cluster.has('-n', OTHER, 'chaosdemo', 'kept'));

  beforeAll(async () => {
    await cluster.inNamespace('delete', 'chaosdemos', '--all', '--timeout=120s');
    for (const folder of ['ratelimiter/overlays/strict', 'operator']) {
      const path = join(root, 'manifests', folder);
      await cluster.kubectl.run(['delete', '-k', path, '--ignore-not-found', '--timeout=180s']);
    }
  });

  it('passes helm lint --strict, with the limiter and without', async () => {
    expect(await cluster.helm('lint', '--strict', CHART)).toContain('0 chart(s) failed');
    await cluster.helm('lint', '--strict', CHART, '--set', 'limiter.enabled=true');
  });

  it('installs operator and limiter where PodSecurity restricted is enforced', async () => {
    await cluster.kubectl.createNamespace(SYSTEM, { 'pod-security.kubernetes.io/enforce': 'restricted' });
    await install('--set', 'limiter.enabled=true', '--set', `limiter.redisImage=${redis}`);
    expect((await cluster.operatorPods()).map(isReady)).toEqual([true, true]);
    await until(async () => (await cluster.limiterPods()).filter(isReady).length === 3, {
      what: 'three Ready limiters',
    });
  });

  it('passes helm test', async () => {
    const told = await cluster.helm('test', RELEASE, ...release);
    expect(told).toMatch(/Phase:\s+Succeeded/);
  });

  it(
    'runs the demo after an upgrade that enables it, with the passwords it made at first',
    keepingTime(async () => {
      const password = ['get', 'secret', 'redis-auth', '-o', 'jsonpath={.data.password}'];
      const before = await cluster.inNamespace(...password);
      await cluster.helm(
        'upgrade',
        RELEASE,
        CHART,
        ...release,
        '--reuse-values',
        '--set',
        'demo.enabled=true',
      );
      expect(await cluster.inNamespace(...password)).toBe(before);
      const status = await cluster.ended('demo');
      expect(status.run?.verdict).toMatchObject({ phase: 'Succeeded', reason: 'ExpectationsMet' });
    }),
  );

  it('leaves the CRD and the objects of others when it is uninstalled', async () => {
    await cluster.kubectl.createNamespace(OTHER);
    const spec = {
      suspend: true,
      subject: {
        rateLimiter: { selector: { matchLabels: { app: 'any' } }, redis: { service: { name: 'any' } } },
      },
    };
    const metadata = { name: 'kept', namespace: OTHER };
    await cluster.kubectl.apply([
      { apiVersion: 'chaosdemo.dev/v1alpha1', kind: 'ChaosDemo', metadata, spec },
    ]);
    const told = await cluster.helm('uninstall', RELEASE, ...release, '--wait');
    expect(told).toMatch(/kept due to the resource policy/);
    expect(await cluster.has('-n', SYSTEM, 'deployment', 'chaosdemo-operator')).toBe(false);
    expect(await cluster.has('clusterrole', 'chaosdemo-operator')).toBe(false);
    expect(await kept()).toBe(true);
  });

  it('takes over what it left, and removes it when asked to', async () => {
    await until(async () => !(await cluster.has('namespace', NAMESPACE)), {
      what: 'the namespace to be gone',
    });
    await install('--set', 'crds.keep=false');
    expect(await kept()).toBe(true);
    await cluster.helm('uninstall', RELEASE, ...release, '--wait');
    await until(async () => !(await cluster.has(...CRD)), { what: 'the CRD to be gone' });
  });
}
