/** The archive of `kubectl chaosdemo`, and the manifest by which krew installs it. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { root } from '../../src/local/root.ts';
import { output } from '../run.ts';
import { assets, type Release } from './release.ts';

const PROGRAM = 'kubectl-chaosdemo.mjs';

/** From the npm package in dist/chaosdemo. One archive suits every platform: it is JavaScript. */
export async function buildPlugin(release: Release): Promise<void> {
  const name = `kubectl-chaosdemo-${release.version}.tar.gz`;
  const archive = join(assets(release), name);
  const same = ['--sort=name', '--format=ustar', `--mtime=@${release.epoch}`, '--numeric-owner'];
  const owned = ['--owner=0', '--group=0', '--mode=u=rwX,go=rX'];
  const files = [PROGRAM, 'LICENSE', 'THIRD-PARTY.md'];
  await output(
    'tar',
    ['--create', '--use-compress-program=gzip -n', ...same, ...owned, '--file', archive, ...files],
    { ...release, cwd: join(root, 'dist/chaosdemo') },
  );
  const sha256 = createHash('sha256')
    .update(await readFile(archive))
    .digest('hex');
  const manifest = krewManifest(release, {
    url: `${release.project}/releases/download/v${release.version}/${name}`,
    sha256,
  });
  await writeFile(join(assets(release), 'chaosdemo.krew.yaml'), stringify(manifest));
}

/** The plugin as krew reads it. Pure. */
export function krewManifest(
  { project, version }: Pick<Release, 'project' | 'version'>,
  archive: { readonly url: string; readonly sha256: string },
): object {
  return {
    apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
    kind: 'Plugin',
    metadata: { name: 'chaosdemo' },
    spec: {
      version: `v${version}`,
      homepage: project,
      shortDescription: 'Run and watch failure tests of rate limiters',
      description: 'Runs, shows and controls ChaosDemos: faults of the Redis behind a rate limiter.',
      caveats: 'It needs Node 24 or later in PATH.',
      platforms: [
        {
          selector: { matchExpressions: [{ key: 'os', operator: 'In', values: ['darwin', 'linux'] }] },
          uri: archive.url,
          sha256: archive.sha256,
          bin: PROGRAM,
        },
      ],
    },
  };
}
