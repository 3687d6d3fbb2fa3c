/** The image: the Dockerfile on each platform, as one OCI layout whose index is the index of the image. */
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../src/local/root.ts';
import type { Engine } from '../cluster/engine.ts';
import { output } from '../run.ts';
import type { Release } from './release.ts';

export type Architecture = 'amd64' | 'arm64';
const ARCHITECTURES: readonly Architecture[] = ['amd64', 'arm64'];

/** What an index says of one image. */
interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** Builds `out`/image from the bundles in dist/image. `base` names the base image of each. Returns its digest. */
export async function buildImage(
  release: Release,
  engine: Engine,
  base: (architecture: Architecture) => Promise<string | undefined>,
): Promise<string> {
  const layout = join(release.out, 'image');
  const manifests: object[] = [];
  for (const architecture of ARCHITECTURES) {
    release.progress(`image for linux/${architecture}`);
    const folder = join(release.out, architecture);
    await buildPlatform(release, engine, architecture, await base(architecture), folder);
    const index = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as {
      manifests: Descriptor[];
    };
    const [image] = index.manifests;
    if (!image || index.manifests.length > 1)
      throw new Error(`${folder} has ${index.manifests.length} images`);
    const { mediaType, digest, size } = image;
    manifests.push({ mediaType, digest, size, platform: { os: 'linux', architecture } });
    await mkdir(layout, { recursive: true });
    // Blobs are named by their content.
    await cp(join(folder, 'blobs'), join(layout, 'blobs'), { recursive: true });
    await rm(folder, { recursive: true });
  }
  await writeFile(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const index = JSON.stringify({ schemaVersion: 2, mediaType, manifests });
  await writeFile(join(layout, 'index.json'), index);
  return `sha256:${createHash('sha256').update(index).digest('hex')}`;
}

/** Builds one platform into an OCI layout. No program runs in it, so any machine can. */
async function buildPlatform(
  { commit, epoch, project, version, signal }: Release,
  { name, env: inherited }: Engine,
  architecture: Architecture,
  base: string | undefined,
  folder: string,
): Promise<void> {
  const env = { ...inherited, SOURCE_DATE_EPOCH: String(epoch) };
  const run = { env, signal, cwd: root };
  const values = {
    VERSION: version,
    REVISION: commit,
    SOURCE: project,
    ...(base && { RUNTIME_IMAGE: base }),
  };
  const build = Object.entries(values).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]);
  build.push('--platform', `linux/${architecture}`);
  if (name === 'docker') {
    const target = `type=oci,tar=false,rewrite-timestamp=true,dest=${folder}`;
    await output(name, ['buildx', 'build', ...build, '--provenance=false', '--output', target, '.'], run);
    return;
  }
  const tag = `localhost/chaosdemo-release:${architecture}`;
  await output(
    name,
    ['build', ...build, '--layers=false', '--timestamp', String(epoch), '--tag', tag, '.'],
    run,
  );
  await output(name, ['save', '--format', 'oci-dir', '--output', folder, tag], run);
  await output(name, ['rmi', tag], run);
}
