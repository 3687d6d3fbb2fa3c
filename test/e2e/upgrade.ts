/**
 * From an earlier release to this build and back, each time with a fault active: nothing is injected twice, and no status
 * is rejected, whether the CRD is changed before the operator or after it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attempt } from '@chaosdemo/testbed';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { root } from '../../src/local/root.ts';
import { loadImages } from '../../tools/cluster/cluster.ts';
import { buildImage } from '../../tools/cluster/engine.ts';
import { output } from '../../tools/run.ts';
import { keepingTime } from '../kit/pace.ts';
import { until } from '../kit/until.ts';
import { AUDIT_LOG } from './support/audited-config.ts';
import { type Cluster, SYSTEM } from './support/cluster.ts';
import { kindOf } from './support/kind.ts';

/** A release: its sources, and its image in the node. */
interface Release {
  readonly folder: string;
  readonly image: string;
}

interface Manifest {
  readonly kind: string;
  readonly spec?: { readonly template?: { readonly spec: { readonly containers: { image: string }[] } } };
}

const DEPLOYMENT = 'deployment/chaosdemo-operator';

/** The last tag before this commit, or the revision in UPGRADE_FROM; '' if there is none. */
export async function earlierRelease(): Promise<string> {
  const tag = await attempt('git', ['describe', '--tags', '--abbrev=0', 'HEAD^'], { cwd: root });
  return process.env['UPGRADE_FROM'] ?? (tag.ok ? tag.stdout.trim() : '');
}

export function upgrade(cluster: Cluster, revision: string): void {
  const { images } = cluster.provided;
  const current: Release = { folder: root, image: images.operator };
  let earlier: Release;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chaosdemo-earlier-'));
    earlier = { folder, image: 'chaosdemo.dev/chaosdemo-operator:earlier' };
    await output('git', ['worktree', 'add', '--force', '--detach', folder, revision], { cwd: root });
    await output('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder });
    await output(process.execPath, [join(folder, 'scripts/build.mjs')], { cwd: folder });
    const kind = kindOf(cluster.provided);
    const progress = (message: string): void => void process.stdout.write(`[upgrade] ${message}\n`);
    const buildArgs = { RUNTIME_IMAGE: images.runtime, VERSION: 'earlier', REVISION: revision };
    await buildImage(kind.engine, earlier.image, buildArgs, { progress, folder });
    await loadImages(kind, [earlier.image], { progress });
    await cluster.useLimiter('approximate');
  });
  afterAll(async () => {
    await attempt('git', ['worktree', 'remove', '--force', earlier.folder], { cwd: root });
    await rm(earlier.folder, { recursive: true, force: true });
  });

  /** As docs/install.md, but for the order. */
  async function install({ folder, image }: Release, crd: 'first' | 'last'): Promise<void> {
    const rendered = await cluster.kubectl.run(['kustomize', join(folder, 'manifests/operator')]);
    const objects = parseAllDocuments(rendered).map((document) => document.toJS() as Manifest);
    const isCrd = ({ kind }: Manifest): boolean => kind === 'CustomResourceDefinition';
    for (const { spec } of objects) {
      for (const container of spec?.template?.spec.containers ?? []) container.image = image;
    }
    if (crd === 'first') await cluster.kubectl.apply(objects.filter(isCrd));
    await cluster.kubectl.apply(objects.filter((object) => !isCrd(object)));
    await cluster.kubectl.run(['-n', SYSTEM, 'rollout', 'status', DEPLOYMENT, '--timeout=300s']);
    if (crd === 'last') await cluster.kubectl.apply(objects.filter(isCrd));
  }

  /** Writes of a status that the API server did not accept, but for conflicts, by its own log. */
  async function rejectedStatuses(): Promise<string[]> {
    const log = await cluster.onNode(`grep '"subresource":"status"' ${AUDIT_LOG} || true`);
    return log
      .split('\n')
      .filter((line) => line.includes('"resource":"chaosdemos"') && /"code":4(?!09)\d\d/.test(line));
  }

  it.for<readonly [direction: string, order: string, crd: 'first' | 'last', releases: () => Release[]]>([
    ['from the earlier release to this build', 'CRD first', 'first', () => [earlier, current]],
    ['back to it', 'CRD first', 'first', () => [current, earlier]],
    ['from the earlier release to this build', 'operator first', 'last', () => [earlier, current]],
    ['back to it', 'operator first', 'last', () => [current, earlier]],
  ])('%s, %s: one fault, and the next run succeeds', (row, context) =>
    keepingTime(async () => {
      const [direction, , crd, releases] = row;
      const [before, after] = releases() as [Release, Release];
      await install(before, 'first');
      const [pauses, rejected] = [await cluster.pauses(), await rejectedStatuses()];
      const name = `upgrade-${direction.startsWith('from') ? 'to' : 'back'}-${crd}`;
      await cluster.applySpec(name, {});
      await cluster.untilPaused(name);
      await install(after, crd);
      const status = await cluster.ended(name);
      expect(status.run?.number).toBe(1);
      expect(['Inconclusive', 'Violated']).toContain(status.scenarios?.[0]?.result);
      expect((await cluster.pauses()) - pauses).toBe(1);

      await cluster.patch(name, { metadata: { annotations: { 'chaosdemo.dev/requested-at': 'again' } } });
      const next = await until(
        async () => {
          const { lastHandledRunRequest, run } = await cluster.status(name);
          return lastHandledRunRequest === 'again' && run?.completedAt !== undefined ? run : undefined;
        },
        { everyMs: 1_000, what: 'the end of the next run', deadlineMs: 300_000 },
      );
      expect(next).toMatchObject({ number: 2, phase: 'Succeeded' });
      expect((await cluster.pauses()) - pauses).toBe(2);
      expect(await rejectedStatuses()).toEqual(rejected);
      await cluster.inNamespace('delete', 'chaosdemo', name, '--timeout=120s');
    })(context),
  );
}
