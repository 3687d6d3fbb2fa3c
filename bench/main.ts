/**
 * `npm run bench`: measures the operator in the environment of the demo, and
 * leaves nothing behind. It fails when something does not work, and never
 * because something is slow.
 */
import { writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { runProgram } from '../src/cli/program.ts';
import { type BenchOptions, benchCommand } from './arguments.ts';
import type { Benchmark } from './benchmark.ts';
import { abort } from './benchmarks/abort.ts';
import { burstMemory } from './benchmarks/burst-memory.ts';
import { burstSpan } from './benchmarks/burst-span.ts';
import { crowd } from './benchmarks/crowd.ts';
import { detection } from './benchmarks/detection.ts';
import { faultProxy } from './benchmarks/fault-proxy.ts';
import { firstStatus } from './benchmarks/first-status.ts';
import { footprint } from './benchmarks/footprint.ts';
import { stability } from './benchmarks/stability.ts';
import { stalls } from './benchmarks/stalls.ts';
import { takeover } from './benchmarks/takeover.ts';
import { throughput } from './benchmarks/throughput.ts';
import { jsonOf, notesOf, type Result, tableOf } from './report.ts';
import { Testbed } from './testbed.ts';

const ALL: readonly Benchmark[] = [
  firstStatus,
  throughput,
  burstSpan,
  burstMemory,
  detection,
  abort,
  takeover,
  stalls,
  footprint,
  faultProxy,
  stability,
  crowd,
];

const start = performance.now();

function say(line: string): void {
  process.stdout.write(`[${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s] ${line}\n`);
}

async function main({ only, report }: BenchOptions, interrupted: AbortSignal): Promise<number> {
  const results: Result[] = [];
  try {
    const chosen = ALL.filter(({ isLong, name }) => only?.includes(name) ?? !isLong);
    await measure(chosen, interrupted, results);
  } finally {
    // Also where a later one failed: what was measured before took minutes, and holds.
    if (results.length > 0) await printResults(results, report);
  }
  return 0;
}

async function printResults(results: readonly Result[], report: string | undefined): Promise<void> {
  process.stdout.write(`\n${[...tableOf(results), '', ...notesOf(results)].join('\n')}\n`);
  if (report === undefined) return;
  await writeFile(report, jsonOf(machine(), results));
  process.stdout.write(`\nThe figures are in ${report}\n`);
}

/**
 * Makes one benchmark after the other, in one testbed that is started when the first of them needs it.
 * `results` gets what each has to say, as soon as it has.
 */
async function measure(
  benchmarks: readonly Benchmark[],
  interrupted: AbortSignal,
  results: Result[],
): Promise<void> {
  const broken = new AbortController();
  const signal = AbortSignal.any([interrupted, broken.signal]);
  let starting: Promise<Testbed> | undefined;
  const testbed = (): Promise<Testbed> => {
    starting ??= Testbed.start(say, signal, (error) => broken.abort(error));
    return starting;
  };
  try {
    for (const { name, what, run } of benchmarks) {
      signal.throwIfAborted();
      say(`== ${name}: ${what}`);
      const rows = await run({ testbed, say: (line) => say(`${name}: ${line}`), signal });
      results.push({ benchmark: name, rows });
    }
  } catch (error) {
    const started = await starting?.catch(() => undefined);
    if (started && !interrupted.aborted) {
      process.stderr.write(`\nThe last lines of the operator:\n${started.operator.process.logTail(10)}\n`);
    }
    throw signal.aborted ? signal.reason : error;
  } finally {
    const started = await starting?.catch(() => undefined);
    await started?.stop();
  }
}

/** What one has to know of the machine to read the figures. */
function machine(): object {
  const [cpu] = cpus();
  return {
    cpus: cpus().length,
    model: cpu?.model.trim(),
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    at: new Date().toISOString(),
  };
}

await runProgram<BenchOptions>(benchCommand(ALL), {
  main,
  failed: 1,
  onInterrupt: () => say('stopping everything that was started'),
});
