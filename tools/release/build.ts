/** Everything of a release that is made before it is published. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../src/local/root.ts';
import { findEngine } from '../cluster/engine.ts';
import { runtimeImage } from '../cluster/install.ts';
import { hostArchitecture } from '../offline/folder-image.ts';
import { output } from '../run.ts';
import { buildChart } from './chart.ts';
import { buildChecksums } from './checksums.ts';
import { buildImage } from './image.ts';
import { buildInstallManifest } from './install-manifest.ts';
import { buildNpmPackage } from './npm-package.ts';
import { buildPlugin } from './plugin.ts';
import { assets, type Release } from './release.ts';
import { buildSbom } from './sbom.ts';

/** Fills `out`. With `standIns`, bases that cannot be pulled are made from programs of this machine. */
export async function buildRelease(release: Release, { standIns }: { standIns: boolean }): Promise<void> {
  await rm(release.out, { recursive: true, force: true });
  await mkdir(assets(release), { recursive: true });
  await buildBundles(release);
  const engine = await findEngine(release);
  const digest = await buildImage(release, engine, async (architecture) => {
    if (!standIns) return undefined;
    const purpose = architecture === hostArchitecture ? 'runtime-base' : 'runtime-base-elsewhere';
    return await runtimeImage(engine, release, purpose);
  });
  await buildAssets(release, digest);
}

/** What `npm run build` makes. */
export async function buildBundles({ signal }: Pick<Release, 'signal'>): Promise<void> {
  for (const script of ['build', 'build-package']) {
    await output(process.execPath, [join(root, `scripts/${script}.mjs`)], { signal, cwd: root });
  }
}

/** The files to download, from the bundles, for an image with this digest. Needs no container engine. Returns the checksums. */
export async function buildAssets(release: Release, digest: string): Promise<string> {
  release.progress('install.yaml, chart, plugin, npm package, SBOMs');
  await buildInstallManifest(release, digest);
  await buildChart(release, digest);
  await buildPlugin(release);
  await buildNpmPackage(release);
  await buildSbom(release, 'chaosdemo-operator', 'image');
  await buildSbom(release, 'chaosdemo', 'chaosdemo');
  return await buildChecksums(release);
}
