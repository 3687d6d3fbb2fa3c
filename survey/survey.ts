/**
 * `npm run survey`: puts real rate limiters, unmodified, before the operator, and writes what their callers got while
 * Redis took no writes: `survey.json`, and a page made of it.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '@chaosdemo/settings';
import { messageOf, Supervisor } from '@chaosdemo/testbed';
import { runProgram } from '../src/cli/program.ts';
import { type SurveyOptions, surveyCommand } from './arguments.ts';
import { agreed, ResultsFile, readResults, runsWithResult } from './results.ts';
import { countOf } from './runner/demo.ts';
import { install } from './runner/install.ts';
import type { SurveyedLimiter, Variant } from './runner/limiter.ts';
import { limiterNames, loadLimiter } from './runner/limiters.ts';
import { inOwnNetwork, runInOwnNetwork } from './runner/own-network.ts';
import { pageOfResults, resultsOf } from './stored.ts';
import { type Job, type Subject, surveyAll } from './survey-all.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const supervisor = new Supervisor();

await runProgram<SurveyOptions>(surveyCommand(), {
  failed: 1,
  onInterrupt: () => say('Stopped. The results so far are kept; --resume continues the survey'),
  async main(options, signal, names) {
    try {
      return await main(options, signal, names);
    } finally {
      await supervisor.close();
    }
  },
});

async function main(options: SurveyOptions, signal: AbortSignal, names: readonly string[]): Promise<number> {
  const chosen = await Promise.all((names.length > 0 ? names : limiterNames()).map(loadLimiter)).catch(
    (error: unknown) => {
      throw new UsageError(messageOf(error));
    },
  );
  await mkdir(options.out, { recursive: true });
  const { fault } = options;
  const path = resultsOf(options.out, fault);
  const results = new ResultsFile(path, await readResults(path));
  let isWhole = true;
  if (!options.page) {
    const { subjects, missing } = await subjectsOf(chosen, options, signal);
    if (fault !== 'Stall' && !inOwnNetwork) return await runInOwnNetwork(signal);
    const jobs = jobsOf(subjects, options, results);
    await surveyAll(jobs, { results, supervisor, fault, say, signal, atOnce: options.atOnce });
    const unsettled = subjects.filter((each) => {
      const runs = results.runsOf(each.which);
      return agreed({ runs }) === undefined || runsWithResult({ runs }).length < options.times;
    });
    for (const name of missing) say(`${name} could not be installed, and was not surveyed`);
    for (const { which } of unsettled)
      say(`${which.limiter} (${which.variant}) has not ${options.times} runs with the same result`);
    isWhole = missing.length + unsettled.length === 0;
  }
  const page = join(options.out, 'survey.md');
  await writeFile(page, await pageOfResults(options.out));
  say(`written: ${path} and ${page}`);
  return isWhole ? 0 : 1;
}

/** Installs the chosen variants; the names of limiters that cannot be installed here are `missing`. */
async function subjectsOf(
  chosen: readonly SurveyedLimiter[],
  { fault, first, variant: variants }: SurveyOptions,
  signal: AbortSignal,
): Promise<{ subjects: Subject[]; missing: string[] }> {
  const subjects: Subject[] = [];
  const missing: string[] = [];
  for (const limiter of chosen) {
    const wanted = (first ? limiter.variants.slice(0, 1) : limiter.variants).filter(
      (variant) =>
        (variants?.includes(variant.name) ?? true) &&
        // Counts cannot be removed whose key is not known.
        (fault !== 'DataLoss' || countOf(limiter, variant) !== undefined),
    );
    if (wanted.length === 0) continue;
    try {
      const app = await install(limiter, { progress: say, signal });
      subjects.push(...wanted.map((variant) => subjectOf(limiter, variant, app)));
    } catch (error) {
      signal.throwIfAborted();
      say(`${limiter.name}: ${messageOf(error)}`);
      missing.push(limiter.name);
    }
  }
  return { subjects, missing };
}

function subjectOf(limiter: SurveyedLimiter, variant: Variant, app: string): Subject {
  const packaged = `${limiter.package} ${limiter.version}`;
  return {
    which: { limiter: limiter.name, variant: variant.name, package: packaged },
    limiter,
    variant,
    app,
  };
}

/** The runs that are to be made: first one of each, then the second of each. */
function jobsOf(subjects: readonly Subject[], { resume, times }: SurveyOptions, results: ResultsFile): Job[] {
  const there = new Map<Subject, number>();
  for (const subject of subjects) {
    if (!resume) results.beginAnew(subject.which);
    there.set(subject, resume ? runsWithResult({ runs: results.runsOf(subject.which) }).length : 0);
  }
  return Array.from({ length: times }, (_, index) => index + 1).flatMap((time) =>
    subjects
      .filter((subject) => time > (there.get(subject) ?? 0))
      .map((subject) => ({ subject, time, times })),
  );
}
