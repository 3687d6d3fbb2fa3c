/**
 * Images that stand in for public ones where no registry can be reached: made from the
 * programs of this machine, for this machine, and named so that nobody takes them for more.
 */
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ensureRedis } from '../binaries/redis-binary.ts';
import { LocalError } from '../errors.ts';
import { output, root } from './command.ts';
import { type Engine, fetchImage, hasImage, importFolder, type StepOptions } from './engine.ts';
import { copyPrograms } from './folder-image.ts';

/** What a public image is needed for, and what this machine makes in its place. */
export interface StandIn {
  /** For people. */
  readonly purpose: string;
  /** Fills a folder. Returns lines of a Dockerfile that say how the image runs. */
  readonly fill: (folder: string, options: StepOptions) => Promise<readonly string[]>;
  /** Tells one version of it from another. */
  readonly version: () => Promise<string>;
  readonly name: string;
}

/** The project's own Node 24, which runs this. */
const node = process.execPath;
const certificates = '/etc/ssl/certs/ca-certificates.crt';

/** In place of an image with a shell, Node 24 and npm. */
export const buildBase: StandIn = {
  name: 'build-base',
  purpose: 'the base image of the build',
  version: async () => process.versions.node,
  fill: async (folder) => {
    await copyPrograms('/', ['/bin/sh', '/usr/bin/env', [node, '/usr/local/bin/node']], folder);
    const npm = await npmFolder();
    await cp(npm, join(folder, 'usr/local/lib/node_modules/npm'), { recursive: true, dereference: true });
    await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(folder, 'usr/local/bin/npm'));
    await writeCommonFiles(folder);
    return ['CMD ["node"]', `ENV NODE_EXTRA_CA_CERTS=${certificates}`];
  },
};

/** In place of an image whose entrypoint is Node 24, without a shell. */
export const runtimeBase: StandIn = {
  name: 'runtime-base',
  purpose: 'the base image of the operator and the rate limiter',
  version: async () => process.versions.node,
  fill: async (folder) => {
    await copyPrograms('/', [[node, '/nodejs/bin/node']], folder);
    await writeCommonFiles(folder);
    return ['ENTRYPOINT ["/nodejs/bin/node"]', 'USER 65532:65532', 'WORKDIR /home/nonroot'];
  },
};

/** In place of Redis. */
export const redis: StandIn = {
  name: 'redis',
  purpose: 'Redis',
  version: async () => (await ensureRedis({ progress: () => {} })).version,
  fill: async (folder, options) => {
    const { path } = await ensureRedis(options);
    // grep is what the readiness probe runs; redis-cli is for people, and some packages come without it.
    const cli = join(dirname(path), 'redis-cli');
    await copyPrograms('/', [path, '/bin/grep', ...(existsSync(cli) ? [cli] : [])], folder);
    await writeCommonFiles(folder);
    return ['CMD ["redis-server"]'];
  },
};

/**
 * The image itself where the engine has it or can pull it; else the name of its stand-in.
 * @throws LocalError IMAGE_UNAVAILABLE where it can neither be pulled nor be stood in for
 */
export async function imageOrStandIn(
  engine: Engine,
  image: string,
  standIn: StandIn,
  options: StepOptions,
): Promise<string> {
  const obstacle = await fetchImage(engine, image, options);
  if (obstacle === undefined) return image;
  assertStandInsWork(image, obstacle);
  const name = `localhost/chaosdemo-${standIn.name}:${await standIn.version()}`;
  if (!(await hasImage(engine, name))) await make(engine, name, standIn, options);
  options.progress(`${image} cannot be pulled (${obstacle}): ${name} stands in for it`);
  return name;
}

/** They are made from this machine's own programs, which a node then runs. @throws LocalError IMAGE_UNAVAILABLE */
export function assertStandInsWork(image: string, obstacle: string): void {
  const needs = process.platform !== 'linux' ? 'Linux' : process.getuid?.() !== 0 ? 'root' : undefined;
  if (needs) {
    throw new LocalError(
      'IMAGE_UNAVAILABLE',
      `${image} cannot be pulled (${obstacle}), and making an image in its place needs ${needs}`,
    );
  }
}

async function make(engine: Engine, name: string, standIn: StandIn, options: StepOptions): Promise<void> {
  options.progress(`making ${name} from programs of this machine, for ${standIn.purpose}`);
  const workFolder = await mkdtemp(join(tmpdir(), 'chaosdemo-image-'));
  try {
    const folder = join(workFolder, 'root');
    await mkdir(folder);
    await importFolder(engine, folder, name, await standIn.fill(folder, options));
  } finally {
    await rm(workFolder, { recursive: true, force: true });
  }
}

/** Users, a place for temporary files, and whom TLS trusts. */
async function writeCommonFiles(folder: string): Promise<void> {
  await mkdir(join(folder, 'etc/ssl/certs'), { recursive: true });
  await mkdir(join(folder, 'home/nonroot'), { recursive: true });
  await mkdir(join(folder, 'tmp'), { recursive: true });
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
    : (await output('sh', ['-c', 'readlink -f "$(command -v npm)"'], { env: process.env })).trim();
  if (!file.endsWith('/bin/npm-cli.js')) {
    throw new LocalError('IMAGE_UNAVAILABLE', `npm is needed for a base image, and ${file || root} is none`);
  }
  return dirname(dirname(file));
}
