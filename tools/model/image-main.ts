/** `npm run model:image`: the image that manifests/model runs. */
import { Command } from 'commander';
import { runProgram } from '../../src/cli/program.ts';
import { findEngine } from '../cluster/engine.ts';
import { runtimeImage } from '../cluster/install.ts';
import { buildModelImage } from './image.ts';

const command = new Command('npm run model:image').description(
  'Builds the image of the small language model that manifests/model runs, with Docker or podman. The first time it fetches 130 MB, which are kept in ~/.cache/chaosdemo.',
);

await runProgram(command, {
  failed: 1,
  async main(_, signal) {
    const step = { progress: (line: string): void => void process.stderr.write(`${line}\n`), signal };
    const engine = await findEngine(step);
    const image = await buildModelImage(engine, await runtimeImage(engine, step), step);
    process.stdout.write(`${image}\n`);
    return 0;
  },
});
