/** `npm run release -- build|publish|rehearse`: what the workflow on a tag runs, and a rehearsal of the same. */
import { resolve } from 'node:path';
import { Argument, Command } from 'commander';
import { terminalLine } from '../../src/api/index.ts';
import { runProgram } from '../../src/cli/program.ts';
import { formatElapsed } from '../binaries/progress.ts';
import { buildRelease } from './build.ts';
import { publish } from './publish.ts';
import { rehearse } from './rehearse.ts';
import { committed, type Release } from './release.ts';

interface Options {
  readonly version?: string;
  readonly registry: string;
  readonly project: string;
  readonly out: string;
  readonly standIns: boolean;
}

const command = new Command('npm run release --')
  .description(
    `build: makes image, chart, install.yaml, plugin, npm package, SBOMs and checksums of the commit. Needs Linux, Go, npm, and Docker with buildx or podman.

publish: pushes image and chart of a build, and signs them and the checksums with the identity of the workflow.

rehearse: builds twice and compares, publishes to a registry on loopback, and installs from it on kind as the documentation describes.`,
  )
  .addArgument(new Argument('<verb>').choices(['build', 'publish', 'rehearse']))
  .option('--version <version>', 'fails unless package.json has this version, which a tag names')
  .option('--registry <prefix>', 'where image and charts are', 'ghcr.io/YOUR-ORG')
  .option('--project <url>', 'where the downloads are', 'https://github.com/YOUR-ORG/chaosdemo-operator')
  .option('--out <folder>', 'takes what is built, in assets and image; emptied first', 'dist/release')
  .option('--stand-ins', 'build: if a base image cannot be pulled, use programs of this machine', false);

const start = performance.now();
const progress = (message: string): void =>
  void process.stdout.write(
    `${terminalLine(`[release, ${formatElapsed(performance.now() - start)}] ${message}`)}\n`,
  );

await runProgram<Options>(command, {
  failed: 1,
  async main({ version, registry, project, out, standIns }, signal, [verb]) {
    const release: Release = {
      ...(await committed()),
      registry,
      project,
      out: resolve(out),
      progress,
      signal,
    };
    if (version !== undefined && version !== release.version) {
      throw new Error(`package.json has version ${release.version}, not ${version}`);
    }
    if (verb === 'build') await buildRelease(release, { standIns });
    else if (verb === 'publish') await publish(release);
    else await rehearse(release);
    return 0;
  },
});
