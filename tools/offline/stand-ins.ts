/**
 * Images that stand in for public ones where no registry can be reached: made from the programs of this
 * machine, for this machine, and named as stand-ins.
 */

import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { attempt, Supervisor } from '@chaosdemo/testbed';
import { ensureRedis } from '../binaries/redis.ts';
import { type Engine, hasImage } from '../cluster/engine.ts';
import { output } from '../run.ts';
import { copyPrograms, hostArchitecture, importFolder } from './folder-image.ts';
import { type FillOptions, fillNode, nodeVersion } from './node-image.ts';

/** What a public image is needed for: a node of kind, the base of the Dockerfile, also on the other platform, Redis. */
export type ImagePurpose = 'node' | 'runtime-base' | 'runtime-base-elsewhere' | 'redis';

interface StandIn {
  /** Identifies one version of it. */
  readonly version: () => Promise<string>;
  /** Default: that of this machine. */
  readonly architecture?: 'amd64' | 'arm64';
  /** Fills a folder. Returns lines of a Dockerfile that say how the image runs. */
  readonly fill: (folder: string, options: FillOptions) => Promise<readonly string[]>;
}

/** The project's own Node 24, which runs this. */
const node = process.execPath;
const certificates = '/etc/ssl/certs/ca-certificates.crt';

const standIns: Readonly<Record<ImagePurpose, StandIn>> = {
  node: { version: nodeVersion, fill: fillNode },
  'runtime-base': {
    version: async () => process.versions.node,
    fill: async (folder) => {
      await copyPrograms('/', [[node, '/nodejs/bin/node']], folder);
      await writeCommonFiles(folder);
      return ['ENTRYPOINT ["/nodejs/bin/node"]', 'USER 65532:65532', 'WORKDIR /home/nonroot'];
    },
  },
  // Node alone, without the libraries to run it: an image for another platform is built and not run.
  'runtime-base-elsewhere': {
    version: async () => process.versions.node,
    architecture: hostArchitecture === 'arm64' ? 'amd64' : 'arm64',
    fill: async (folder, { signal }) => {
      const program = `node-linux-${hostArchitecture === 'arm64' ? 'x64' : 'arm64'}@${process.versions.node}`;
      await output('npm', ['pack', '--pack-destination', folder, program], { signal });
      await mkdir(join(folder, 'nodejs'));
      const unpack = ['--strip-components=1', '-C', `${folder}/nodejs`, 'package/bin/node'];
      await output('sh', ['-c', 'tar -xzf "$0"/*.tgz "$@" && rm "$0"/*.tgz', folder, ...unpack]);
      await writeCommonFiles(folder);
      return ['ENTRYPOINT ["/nodejs/bin/node"]', 'USER 65532:65532', 'WORKDIR /home/nonroot'];
    },
  },
  redis: {
    version: async () => (await ensureRedis({ progress: () => {} })).version,
    fill: async (folder, options) => {
      const { path } = await ensureRedis(options);
      // grep is what the readiness probe runs; redis-cli is for people, and some packages come without it.
      const cli = join(dirname(path), 'redis-cli');
      await copyPrograms('/', [path, '/bin/grep', ...(existsSync(cli) ? [cli] : [])], folder);
      await writeCommonFiles(folder);
      return ['CMD ["redis-server"]'];
    },
  },
};

/** Name of the image, at once where the engine has it. A new one takes the place of older ones. */
export async function makeStandIn(purpose: ImagePurpose, options: FillOptions): Promise<string> {
  const { engine, progress } = options;
  const { version, architecture, fill } = standIns[purpose];
  const repository = `localhost/chaosdemo-${purpose}`;
  const image = `${repository}:${await version()}`;
  if (await hasImage(engine, image)) return image;
  progress(`making ${image} from programs of this machine`);
  const supervisor = new Supervisor();
  try {
    const folder = join(supervisor.temporaryFolder('image'), 'root');
    await mkdir(folder);
    await importFolder(engine, folder, image, await fill(folder, options), architecture);
  } finally {
    await supervisor.close();
  }
  await removeOlder(engine, repository, image);
  return image;
}

/** A node comes close to a gigabyte. An image that is in use stays. */
async function removeOlder({ name, env }: Engine, repository: string, image: string): Promise<void> {
  const list = ['images', '--format', '{{.Repository}}:{{.Tag}}', repository];
  const { stdout } = await attempt(name, list, { env });
  for (const older of stdout.split('\n').filter((line) => line !== '' && line !== image)) {
    await attempt(name, ['rmi', older], { env });
  }
}

/** Users, a place for temporary files, and whom TLS trusts. */
async function writeCommonFiles(folder: string): Promise<void> {
  for (const path of ['etc/ssl/certs', 'home/nonroot', 'tmp'])
    await mkdir(join(folder, path), { recursive: true });
  await chmod(join(folder, 'tmp'), 0o1777);
  const users = [
    'root:x:0:0:root:/root:/sbin/nologin',
    'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin',
  ];
  await writeFile(join(folder, 'etc/passwd'), `${users.join('\n')}\n`);
  await writeFile(join(folder, 'etc/group'), 'root:x:0:\nnonroot:x:65532:\n');
  const trusted = await readFile(certificates).catch(() => undefined);
  if (trusted) await writeFile(join(folder, certificates), trusted);
}
