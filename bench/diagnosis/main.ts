/**
 * `npm run bench:diagnosis`: lets profiles explain the recordings of corpus/, grades their answers, and prints how
 * often they are right, compared with guesses without evidence. Fails only if the rules do.
 */

import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Supervisor } from '@chaosdemo/testbed';
import { readRecordings } from '../../corpus/recording.ts';
import { anomalyClasses, type DiagnosisProvider, rulesProvider } from '../../src/diagnosis/index.ts';
import { startLocalModel, writeLocalProfile } from '../../tools/model/local.ts';
import { majorityGuess, possibleGuesses, randomShares, sharesOf } from './baselines.ts';
import { confusionOf, linesOf, shareOf, textOf } from './confusion.ts';
import { type Explained, explain, isRight } from './explain.ts';

const HELP = `Usage: npm run bench:diagnosis -- [--profile NAME ...] [--profiles FILE] [--held-back] [--misses] [--report FILE]

Has each profile explain the recordings of corpus/recordings, and grades what it says.

  --profile NAME   rules (default), local (a small model, which this starts), or one of --profiles; several times
  --profiles FILE  profiles of models, as the operator takes them: docs/diagnosis.md
  --held-back      only recordings that were held back when rules and prompts were made
  --misses         names each recording whose class or component was not recognised
  --report FILE    writes every answer with its grade, as JSON
  --help           this text
`;

/** Ends with 64 for wrong usage, as the other commands do. */
function readFlags() {
  try {
    return parseArgs({
      options: {
        profile: { type: 'string', multiple: true },
        profiles: { type: 'string' },
        'held-back': { type: 'boolean', default: false },
        report: { type: 'string' },
        misses: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return endForUsage((error as Error).message);
  }
}

function endForUsage(problem: string): never {
  process.stderr.write(`${problem}\nTry: npm run bench:diagnosis -- --help\n`);
  return process.exit(64);
}

const values = readFlags();
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const profileNames = values.profile ?? ['rules'];

const say = (line = ''): void => void process.stdout.write(`${line}\n`);
const recordings = await readRecordings();
const held = recordings.filter(({ heldBack }) => heldBack);
const tuned = recordings.filter(({ heldBack }) => !heldBack);
const some = values['held-back'] ? held : recordings;
const cases = new Set(recordings.map((one) => one.case)).size;
say(`${recordings.length} recordings of ${cases} cases, ${held.length} of them held back`);

const REPLICAS = 3;
const guesses = possibleGuesses(
  anomalyClasses.filter((name) => name !== 'unknown'),
  REPLICAS,
);
const truthsOf = (some: typeof recordings) => some.map(({ truths }) => truths);
const majority = majorityGuess(guesses, truthsOf(tuned));
const percent = (share: number): string => `${Math.round(100 * share)} %`;
say();
say('Guesses without evidence, of what was held back:');
const always = sharesOf(majority, truthsOf(held));
say(
  `  always "${majority.anomaly} in ${majority.component}": class ${percent(always.identification)}, component ${percent(always.localization)}`,
);
const chance = randomShares(guesses, truthsOf(held));
say(`  by chance: class ${percent(chance.identification)}, component ${percent(chance.localization)}`);

const all: Record<string, readonly Explained[]> = {};
const supervisor = new Supervisor();
try {
  for (const name of profileNames) all[name] = await benchProfile(name, await providerOf(name));
} finally {
  await supervisor.close();
}
if (values.report !== undefined) {
  await writeFile(values.report, `${JSON.stringify(all, undefined, 2)}\n`);
  say(`\nAll answers are in ${values.report}`);
}

async function providerOf(name: string): Promise<DiagnosisProvider> {
  if (name === 'rules') return rulesProvider;
  const onProgress = (line: string): void => void process.stderr.write(`model: ${line}\n`);
  const file =
    name === 'local' && values.profiles === undefined
      ? await writeLocalProfile(await startLocalModel({ supervisor, onProgress }), supervisor)
      : values.profiles;
  const { providersOf, readProfiles } = await import('../../src/diagnosis/models/index.ts');
  const providers = file === undefined ? {} : providersOf(await readProfiles(file));
  const provider = providers[name];
  if (provider) return provider;
  await supervisor.close();
  return endForUsage(`there is no profile "${name}": name one of --profiles FILE, rules or local`);
}

async function benchProfile(profile: string, provider: DiagnosisProvider): Promise<Explained[]> {
  const explained: Explained[] = [];
  for (const [index, recording] of some.entries()) {
    if (profile !== 'rules')
      process.stderr.write(`${profile}: ${index + 1} of ${some.length}, ${recording.name}\n`);
    explained.push(await explain(recording, provider));
  }
  const parts = [
    ['held back', explained.filter(({ heldBack }) => heldBack)],
    ['not held back', explained.filter(({ heldBack }) => !heldBack)],
  ] as const;
  for (const [title, part] of parts) {
    if (part.length === 0) continue;
    say();
    say(`Profile ${profile}, ${title} (${part.length}), with 95 % intervals`);
    print(part);
  }
  if (values.misses) for (const one of explained) tellMiss(one);
  return explained;
}

function tellMiss(one: Explained): void {
  if (isRight(one)) return;
  const { answer, name, rejected, truths } = one;
  const was = truths.map(({ anomaly, components }) => `${anomaly} in ${components.join(', ')}`);
  const answered = answer ? `${answer.anomaly} in ${answer.component}` : `nothing usable: ${rejected}`;
  say(`  ${name}: was ${was.join(' and ') || 'none'}; answer ${answered}`);
}

function print(some: readonly Explained[]): void {
  const share = (right: (one: Explained) => boolean): string =>
    textOf(shareOf(some.filter(right).length, some.length));
  const healthy = some.filter(({ truths }) => truths.length === 0);
  const well = healthy.filter(({ answer }) => answer?.anomaly === 'none').length;
  say(`  component right         ${share(({ grade }) => grade?.localization === 'Right')}`);
  say(`  class right             ${share(({ grade }) => grade?.identification === 'Right')}`);
  say(`  both                    ${share(isRight)}`);
  say(`  action fits             ${share(({ grade }) => grade?.action === 'Right')}`);
  say(`  healthy called healthy  ${textOf(shareOf(well, healthy.length))}`);
  say(
    `  no usable answer        ${some.filter(({ answer }) => answer === undefined).length} of ${some.length}`,
  );
  const judged = some.map(({ answer, truths }) => ({
    truths: truths.length === 0 ? ['none'] : truths.map(({ anomaly }) => anomaly),
    said: answer?.anomaly ?? 'no answer',
  }));
  for (const line of linesOf(confusionOf(judged, [...anomalyClasses, 'no answer']))) say(`  ${line}`);
}
