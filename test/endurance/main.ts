/**
 * `npm run endurance -- --runs 200`: run after run in one operator process, on real Redis and rate limiters.
 * Exit status 1 where heap, descriptors, sockets or timers grew: with every object gone, after all runs against
 * after the first quarter of them.
 */
import { Command } from 'commander';
import { wholeNumber } from '../../src/cli/option-value.ts';
import { runProgram } from '../../src/cli/program.ts';
import { ensureRedis } from '../../tools/binaries/redis.ts';
import { inOwnWorld } from '../kit/own-control-plane.ts';
import { describeHeld, endure, grownSince } from './endurance.ts';
import { startEnduranceWorld } from './world.ts';

interface Options {
  readonly runs: number;
  readonly targets: number;
}

const command = new Command('npm run endurance --')
  .description('Makes run after run in one operator process, and checks what it keeps.')
  .option('--runs <number>', 'how many runs in all', wholeNumber(20, 100_000), 200)
  .option('--targets <number>', 'how many at once, each on its own Redis', wholeNumber(1, 64), 16)
  .addHelpText(
    'after',
    '\nExit status: 0 nothing grew, 1 something did, 64 wrong usage, 130 stopped by Ctrl-C.',
  );

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main({ runs, targets }: Options, signal: AbortSignal): Promise<number> {
  await ensureRedis({ progress: say, signal });
  return await inOwnWorld(
    { progress: say, signal, connections: 16 },
    (controlPlane) => startEnduranceWorld(controlPlane, targets),
    async (world, client) => {
      // The first runs load what all need, and open what is kept.
      const first = Math.ceil(runs / 4);
      const warm = await endure({ client, world, runs: first, say, signal });
      say(`every object gone after ${first} runs: ${describeHeld(warm.settled)}`);
      const further = Math.floor((runs * 3) / 4);
      const { settled, tookMs, verdicts } = await endure({ client, world, runs: further, say, signal });
      say(
        `${further} further runs on ${targets} targets in ${(tookMs / 1000).toFixed(0)} s: ${JSON.stringify(verdicts)}`,
      );
      say(`every object gone: ${describeHeld(settled)}`);
      const grown = await grownSince(warm.settled);
      for (const line of grown) say(`FAILED ${line}`);
      return grown.length === 0 ? 0 : 1;
    },
  );
}

await runProgram<Options>(command, { main, failed: 1 });
