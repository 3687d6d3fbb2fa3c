/** `npm run torture`: disturbs real runs by plans that seeds make, and checks what was seen from outside. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../../src/cli/program.ts';
import { type TortureOptions, tortureCommand } from './arguments.ts';
import { planOf } from './plan.ts';
import { excerptOf, Summary } from './report.ts';
import { playRound } from './round.ts';
import { Stage } from './stage.ts';
import { lineOf } from './step.ts';

const start = performance.now();

function say(line: string): void {
  process.stderr.write(`[${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s] ${line}\n`);
}

/** Of the bundled limiter; there are three more, behind HTTP. */
const LANES = 3;

async function main(options: TortureOptions, signal: AbortSignal): Promise<number> {
  const { attacked: isAttacked = false, records, runs, seed: first } = options;
  const plans = Array.from({ length: runs }, (_, i) =>
    planOf(first + i, { lanes: LANES, ownApiServer: true, http: true, failover: true }),
  );
  const summary = new Summary();
  // A defect of the torture itself is no finding: it ends the run with a summary, and with status 2.
  const own = new AbortController();
  process.on('uncaughtException', (error) => own.abort(error));
  const stop = AbortSignal.any([signal, own.signal]);
  const modes = plans[0]?.lanes.map(({ mode }) => mode) ?? [];
  const stage = await Stage.start({ modes, isAttacked, say });
  try {
    for (const plan of plans) {
      stop.throwIfAborted();
      say(`seed ${plan.seed}: ${plan.steps.length} steps`);
      for (const step of plan.steps) say(`  ${lineOf(step)}`);
      const result = await playRound({ stage, plan, signal: stop, say: (line) => say(`  ${line}`) });
      summary.add(result);
      say(
        `seed ${plan.seed}: ${result.ends.join(', ')}; ${result.wrong.length === 0 ? 'nothing wrong' : `${result.wrong.length} WRONG`}`,
      );
      if (result.wrong.length === 0 && !records) continue;
      const folder = records ?? 'torture-records';
      await mkdir(folder, { recursive: true });
      const file = join(folder, `seed-${plan.seed}.json`);
      const logs = await stage.operatorLogs();
      await writeFile(
        file,
        JSON.stringify({ plan, wrong: result.wrong, entries: result.record.entries, logs }, null, 1),
      );
      for (const line of excerptOf(result)) say(line);
      say(`  the whole record is in ${file}`);
    }
  } finally {
    say('stopping everything that was started');
    await stage.stop();
    process.stdout.write(`${summary.lines().join('\n')}\n`);
  }
  return summary.wrong === 0 ? 0 : 1;
}

await runProgram<TortureOptions>(tortureCommand(), {
  main,
  failed: 2,
  onInterrupt: () => say('interrupted'),
});
