/**
 * `npm run fuzz -- --seed 1 --count 10000`: generated ChaosDemos through a real API server and the real operator.
 * Exit status 1 where one brought it down, got no answer, or stayed.
 */

import { fileURLToPath } from 'node:url';
import { KubeClient } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import { startControlPlane } from '@chaosdemo/testbed';
import { Command } from 'commander';
import { wholeNumber } from '../../src/cli/option-value.ts';
import { runProgram } from '../../src/cli/program.ts';
import { ensureControlPlaneBinaries } from '../../tools/binaries/control-plane.ts';
import { fuzz, KEPT_MIB } from './fuzz.ts';
import { startFuzzWorld } from './world.ts';

const folder = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

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
  const binaries = await ensureControlPlaneBinaries({ progress: say, signal });
  const controlPlane = await startControlPlane({ binaries, signal });
  try {
    const { kubeconfig, kubectl } = controlPlane;
    await kubectl.applyCustomResourceDefinitions(folder('crds'), { signal });
    await kubectl.run(['apply', '--server-side', '-k', folder('manifests/operator')], { signal });
    const world = await startFuzzWorld(controlPlane, seed);
    const client = new KubeClient(loadKubeConfig(kubeconfig), { connections: 32, timeoutMs: 60_000 });
    try {
      const { failures, ...figures } = await fuzz({ client, world, seed, count, say, signal });
      for (const [name, value] of Object.entries(figures))
        say(`${name.padEnd(16)} ${Math.round(value * 10) / 10}`);
      const kept = figures.heapAfterMiB - figures.heapBeforeMiB;
      const wrong = [...failures];
      if (kept > KEPT_MIB) wrong.push(`${Math.round(kept)} MiB are kept, at most ${KEPT_MIB} may be`);
      if (figures.garbled === 0) wrong.push('no answer was spoiled: give it more cases with --count');
      for (const failure of wrong) say(`FAILED ${failure}`);
      return wrong.length === 0 ? 0 : 1;
    } finally {
      await client.close();
      await world.stop();
    }
  } finally {
    await controlPlane.stop();
  }
}

await runProgram<Options>(command, { main, failed: 1 });
