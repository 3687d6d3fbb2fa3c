/**
 * Images that stand in for public ones where no registry can be reached: made from the programs of this
 * machine, for this machine, and named as stand-ins.
 */

import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { attempt, ensureRedis, output, Supervisor } from '@chaosdemo/testbed';
import { type Engine, hasImage } from '../cluster/engine.ts';
import { ToolError } from '../errors.ts';
import { copyPrograms, importFolder } from './folder-image.ts';
import { type FillOptions, fillNode, nodeVersion } from './node-image.ts';

/** What a public image is needed for: a node of kind, the two bases of the Dockerfile, Redis. */
export type ImagePurpose = 'node' | 'build-base' | 'runtime-base' | 'redis';

interface StandIn {
  /** Identifies one version of it. */
  readonly version: () => Promise<string>;
  /** Fills a folder. Returns lines of a Dockerfile that say how the image runs. */
  readonly fill: (folder: string, options: FillOptions) => Promise<readonly string[]>;
}

/** The project's own Node 24, which runs this. */
const node = process.execPath;
const certificates = '/etc/ssl/certs/ca-certificates.crt';

const standIns: Readonly<Record<ImagePurpose, StandIn>> = {
  node: { version: nodeVersion, fill: fillNode },
  'build-base': {
    version: async () => process.versions.node,
    fill: async (folder) => {
      await copyPrograms('/', ['/bin/sh', '/usr/bin/env', [node, '/usr/local/bin/node']], folder);
      const npm = join(folder, 'usr/local/lib/node_modules/npm');
      await cp(await npmFolder(), npm, { recursive: true, dereference: true });
      await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(folder, 'usr/local/bin/npm'));
      await writeCommonFiles(folder);
      return ['CMD ["node"]', `ENV NODE_EXTRA_CA_CERTS=${certificates}`];
    },
  },
  'runtime-base': {
    version: async () => process.versions.node,
    fill: async (folder) => {
      await copyPrograms('/', [[node, '/nodejs/bin/node']], folder);
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
  const { version, fill } = standIns[purpose];
  const repository = `localhost/chaosdemo-${purpose}`;
  const image = `${repository}:${await version()}`;
  if (await hasImage(engine, image)) return image;
  progress(`making ${image} from programs of this machine`);
  const supervisor = new Supervisor();
  try {
    const folder = join(supervisor.temporaryFolder('image'), 'root');
    await mkdir(folder);
    await importFolder(engine, folder, image, await fill(folder, options));
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

/** The npm that runs this, else the one in PATH. */
async function npmFolder(): Promise<string> {
  const running = process.env['npm_execpath'];
  const file = running?.endsWith('.js')
    ? running
    : (await output('sh', ['-c', 'readlink -f "$(command -v npm)"'])).trim();
  if (file.endsWith('/bin/npm-cli.js')) return dirname(dirname(file));
  throw new ToolError('IMAGE_UNAVAILABLE', `npm is needed for a base image, and "${file}" is none`);
}
