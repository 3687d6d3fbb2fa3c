/** helm/chaosdemo-operator: lint, install, test, upgrade, uninstall, by Helm itself. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { root } from '../../src/local/root.ts';
import { keepingTime } from '../kit/pace.ts';
import { until } from '../kit/until.ts';
import { type Cluster, isReady, NAMESPACE, SYSTEM } from './support/cluster.ts';

const CHART = join(root, 'helm/chaosdemo-operator');
const RELEASE = 'chaosdemo';
/** A namespace with a ChaosDemo that the chart knows nothing of. */
const OTHER = 'another-team';
const CRD = ['crd', 'chaosdemos.chaosdemo.dev'];
/** A field that the older chart of these tests lacks. */
const NEW_FIELD = 'jsonpath={.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.rerun.type}';

export function chart(cluster: Cluster): void {
  const { redis } = cluster.provided.images;
  const release = ['-n', SYSTEM, '--timeout', '5m'];
  const withLimiter = ['--set', 'limiter.enabled=true', '--set', `limiter.redisImage=${redis}`];
  const install = (folder: string, ...more: string[]) =>
    cluster.helm('install', RELEASE, folder, ...release, '--create-namespace', '--wait', ...more);
  const newField = () => cluster.kubectl.run(['get', ...CRD, '-o', NEW_FIELD]);
  const keptAll = async (): Promise<boolean> => {
    const found = await Promise.all(
      [NAMESPACE, OTHER].map((namespace) => cluster.has('-n', namespace, 'chaosdemo', 'kept')),
    );
    return found.every(Boolean);
  };

  beforeAll(async () => {
    await cluster.inNamespace('delete', 'chaosdemos', '--all', '--timeout=120s');
    for (const folder of ['ratelimiter/overlays/strict', 'operator']) {
      const path = join(root, 'manifests', folder);
      await cluster.kubectl.run(['delete', '-k', path, '--ignore-not-found', '--timeout=180s']);
    }
  });

  it('installs operator and limiter under PodSecurity restricted', async () => {
    await cluster.kubectl.createNamespace(SYSTEM, { 'pod-security.kubernetes.io/enforce': 'restricted' });
    await install(await withOlderCrd(), ...withLimiter);
    expect(await newField()).toBe('');
    expect((await cluster.operatorPods()).map(isReady)).toEqual([true, true]);
    await until(async () => (await cluster.limiterPods()).filter(isReady).length === 3, {
      what: 'three Ready limiters',
    });
  });

  it('passes helm test', async () => {
    const output = await cluster.helm('test', RELEASE, ...release);
    expect(output).toMatch(/Phase:\s+Succeeded/);
  });

  it(
    'a chart upgrade keeps objects and passwords, and runs the enabled demo',
    keepingTime(async () => {
      const password = ['get', 'secret', 'redis-auth', '-o', 'jsonpath={.data.password}'];
      const before = await cluster.inNamespace(...password);
      await cluster.kubectl.createNamespace(OTHER);
      await cluster.kubectl.apply([NAMESPACE, OTHER].map(kept));
      await cluster.helm(
        'upgrade',
        RELEASE,
        CHART,
        ...release,
        '--reset-then-reuse-values',
        '--set',
        'demo.enabled=true',
      );
      expect(await cluster.inNamespace(...password)).toBe(before);
      expect(await newField()).toBe('string');
      expect(await keptAll()).toBe(true);
      const status = await cluster.ended('demo');
      expect(status.run).toMatchObject({ phase: 'Succeeded', reason: 'ExpectationsMet' });
    }),
  );

  it('leaves the CRD and every object but its own when it is uninstalled', async () => {
    const output = await cluster.helm('uninstall', RELEASE, ...release, '--wait');
    expect(output).toMatch(/kept due to the resource policy/);
    expect(await cluster.has('-n', SYSTEM, 'deployment', 'chaosdemo-operator')).toBe(false);
    expect(await cluster.has('clusterrole', 'chaosdemo-operator')).toBe(false);
    expect(await cluster.has('-n', NAMESPACE, 'deployment', 'ratelimiter')).toBe(false);
    expect(await cluster.has('-n', NAMESPACE, 'chaosdemo', 'demo')).toBe(false);
    expect(await keptAll()).toBe(true);
  });

  it('takes over what it left, and removes it with crds.keep=false', async () => {
    await install(CHART, ...withLimiter, '--set', 'crds.keep=false');
    expect(await keptAll()).toBe(true);
    await cluster.helm('uninstall', RELEASE, ...release, '--wait');
    await until(async () => !(await cluster.has(...CRD)) && !(await cluster.has('namespace', NAMESPACE)), {
      what: 'CRD and namespace to be gone',
    });
  });
}

/** A ChaosDemo that the chart knows nothing of. */
function kept(namespace: string): object {
  const rateLimiter = {
    selector: { matchLabels: { app: 'any' } },
    redis: { serviceName: 'any' },
  };
  return {
    apiVersion: 'chaosdemo.dev/v1alpha1',
    kind: 'ChaosDemo',
    metadata: { name: 'kept', namespace },
    spec: { suspend: true, rateLimiter },
  };
}

/** Folder of the chart as it was before spec.rerun. */
async function withOlderCrd(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chaosdemo-chart-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await cp(CHART, folder, { recursive: true });
  const file = join(folder, 'templates/crd.yaml');
  const [, head, crd, tail] =
    /^(.*?)(apiVersion: .*)(\{\{- end \}\}\n)$/s.exec(await readFile(file, 'utf8')) ?? [];
  const without = crd?.replace(/^ {16}rerun:\n(?: {18}.*\n)+/m, '');
  if (!without || without === crd) throw new Error('the CRD has no spec.rerun');
  await writeFile(file, `${head}${without}${tail}`);
  return folder;
}
