/**
 * `npm run fuzz -- --seed 1 --count 10000`: generated ChaosDemos through a real API server and the real operator.
 * Exit status 1 where one brought it down, got no answer, or stayed.
 */
import { Command } from 'commander';
import { wholeNumber } from '../../src/cli/option-value.ts';
import { runProgram } from '../../src/cli/program.ts';
import { inOwnWorld } from '../kit/own-control-plane.ts';
import { fuzz, KEPT_MIB } from './fuzz.ts';
import { startFuzzWorld } from './world.ts';

interface Options {
  readonly seed: number;
  readonly count: number;
}

const command = new Command('npm run fuzz --')
  .description('Sends generated ChaosDemos through a real API server to the operator.')
  .option('--seed <number>', 'the same seed makes the same cases', wholeNumber(0, 2 ** 31), 1)
  .option('--count <number>', 'how many cases', wholeNumber(1, 1_000_000), 10_000)
  .addHelpText(
    'after',
    '\nExit status: 0 all held, 1 something did not, 64 wrong usage, 130 stopped by Ctrl-C.',
  );

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main({ count, seed }: Options, signal: AbortSignal): Promise<number> {
  return await inOwnWorld(
    { progress: say, signal, connections: 32 },
    (controlPlane) => startFuzzWorld(controlPlane, seed),
    async (world, client) => {
      const { failures, ...figures } = await fuzz({ client, world, seed, count, say, signal });
      for (const [name, value] of Object.entries(figures))
        say(`${name.padEnd(16)} ${Math.round(value * 10) / 10}`);
      const kept = figures.heapAfterMiB - figures.heapBeforeMiB;
      const wrong = [...failures];
      if (kept > KEPT_MIB) wrong.push(`${Math.round(kept)} MiB are kept, at most ${KEPT_MIB} may be`);
      if (figures.garbled === 0) wrong.push('no answer was spoiled: give it more cases with --count');
      for (const failure of wrong) say(`FAILED ${failure}`);
      return wrong.length === 0 ? 0 : 1;
    },
  );
}

await runProgram<Options>(command, { main, failed: 1 });
