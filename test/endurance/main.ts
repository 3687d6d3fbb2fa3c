/**
 * `npm run endurance -- --runs 200`: run after run in one operator process, on real Redis and rate limiters.
 * Exit status 1 where heap, descriptors, sockets or timers grew: with every object gone, after all runs against
 * after the first quarter of them.
 */

import { fileURLToPath } from 'node:url';
import { KubeClient } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import { startControlPlane } from '@chaosdemo/testbed';
import { Command } from 'commander';
import { wholeNumber } from '../../src/cli/option-value.ts';
import { runProgram } from '../../src/cli/program.ts';
import { ensureControlPlaneBinaries } from '../../tools/binaries/control-plane.ts';
import { ensureRedis } from '../../tools/binaries/redis.ts';
import { describeHeld, endure, grownSince } from './endurance.ts';
import { startEnduranceWorld } from './world.ts';

const folder = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

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
  const binaries = await ensureControlPlaneBinaries({ progress: say, signal });
  await ensureRedis({ progress: say, signal });
  const controlPlane = await startControlPlane({ binaries, signal });
  try {
    const { kubeconfig, kubectl } = controlPlane;
    await kubectl.applyCustomResourceDefinitions(folder('crds'), { signal });
    await kubectl.run(['apply', '--server-side', '-k', folder('manifests/operator')], { signal });
    const world = await startEnduranceWorld(controlPlane, targets);
    const client = new KubeClient(loadKubeConfig(kubeconfig), { connections: 16, timeoutMs: 60_000 });
    try {
      // The first runs load what all need, and open what is kept.
      const warm = await endure({ client, world, runs: Math.ceil(runs / 4), say, signal });
      say(`every object gone after ${Math.ceil(runs / 4)} runs: ${describeHeld(warm.settled)}`);
      const { settled, tookMs, verdicts } = await endure({
        client,
        world,
        runs: Math.floor((runs * 3) / 4),
        say,
        signal,
      });
      say(
        `${Math.floor((runs * 3) / 4)} further runs on ${targets} targets in ${(tookMs / 1000).toFixed(0)} s: ${JSON.stringify(verdicts)}`,
      );
      say(`every object gone: ${describeHeld(settled)}`);
      const grown = await grownSince(warm.settled);
      for (const line of grown) say(`FAILED ${line}`);
      return grown.length === 0 ? 0 : 1;
    } finally {
      await client.close();
      await world.stop();
    }
  } finally {
    await controlPlane.stop();
  }
}

await runProgram<Options>(command, { main, failed: 1 });
