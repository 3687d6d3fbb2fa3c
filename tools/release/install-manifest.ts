/** install.yaml: manifests/operator in one file, with the image of the release by its digest. */
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stringify } from 'yaml';
import { root } from '../../src/local/root.ts';
import { ensureTool } from '../offline/programs.ts';
import { output } from '../run.ts';
import { assets, imageName, type Release } from './release.ts';

export async function buildInstallManifest(release: Release, digest: string): Promise<void> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'chaosdemo-install-')));
  try {
    const kustomization = {
      resources: [relative(folder, join(root, 'manifests/operator'))],
      images: [{ name: 'chaosdemo.dev/chaosdemo-operator', newName: imageName(release), digest }],
    };
    await writeFile(join(folder, 'kustomization.yaml'), stringify(kustomization));
    const manifest = await output(await ensureTool('kustomize', release), ['build', folder], release);
    const head = `# ChaosDemo ${release.version}: kubectl apply --server-side -f install.yaml\n`;
    await writeFile(join(assets(release), 'install.yaml'), head + manifest);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
