/**
 * `npm run bench:diagnosis`: has profiles explain the recordings of corpus/, grades what they say, and prints how
 * often they are right beside somebody who looks at no evidence. It asserts nothing, but that rules do not fail.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { readRecordings } from '../../corpus/recording.ts';
import { anomalyClasses, type DiagnosisProvider, rulesProvider } from '../../src/diagnosis/index.ts';
import { majorityGuess, possibleGuesses, randomShares, sharesOf } from './baselines.ts';
import { confusionOf, linesOf, shareOf, textOf } from './confusion.ts';
import { type Explained, explain } from './explain.ts';

const HELP = `Usage: npm run bench:diagnosis -- [--report FILE] [--misses]

Has the rules explain every recording of corpus/recordings, and grades what they say.

  --report FILE  writes every answer with its grade, as JSON
  --misses       names each recording whose class or component was not recognised
  --help         this text
`;

const { values } = parseArgs({
  options: {
    report: { type: 'string' },
    misses: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

const say = (line = ''): void => void process.stdout.write(`${line}\n`);
const recordings = await readRecordings();
const held = recordings.filter(({ heldBack }) => heldBack);
const tuned = recordings.filter(({ heldBack }) => !heldBack);
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
say('Without a look at the evidence, of what was held back:');
const always = sharesOf(majority, truthsOf(held));
say(
  `  always "${majority.anomaly} in ${majority.component}": class ${percent(always.identification)}, component ${percent(always.localization)}`,
);
const chance = randomShares(guesses, truthsOf(held));
say(`  by chance: class ${percent(chance.identification)}, component ${percent(chance.localization)}`);

const providers: Readonly<Record<string, DiagnosisProvider>> = { rules: rulesProvider };
const all: Record<string, readonly Explained[]> = {};
for (const [profile, provider] of Object.entries(providers)) {
  const explained: Explained[] = [];
  for (const recording of recordings) explained.push(await explain(recording, provider));
  all[profile] = explained;
  for (const [title, some] of [
    ['held back', explained.filter(({ heldBack }) => heldBack)],
    ['not held back', explained.filter(({ heldBack }) => !heldBack)],
  ] as const) {
    say();
    say(`Profile ${profile}, ${title} (${some.length}), with 95 % intervals`);
    tell(some);
  }
  if (values.misses) {
    for (const { name, answer, grade, rejected, truths } of explained) {
      if (grade?.identification && grade.localization) continue;
      const was = truths.map(({ anomaly, components }) => `${anomaly} in ${components.join(', ')}`);
      const said = answer ? `${answer.anomaly} in ${answer.component}` : `nothing usable: ${rejected}`;
      say(`  ${name}: was ${was.join(' and ') || 'none'}; said ${said}`);
    }
  }
}
if (values.report !== undefined) {
  await writeFile(values.report, `${JSON.stringify(all, undefined, 2)}\n`);
  say(`\nAll answers are in ${values.report}`);
}

function tell(some: readonly Explained[]): void {
  const share = (right: (one: Explained) => boolean): string =>
    textOf(shareOf(some.filter(right).length, some.length));
  const healthy = some.filter(({ truths }) => truths.length === 0);
  const well = healthy.filter(({ answer }) => answer?.anomaly === 'none').length;
  const reasons = some.map(({ grade }) => grade?.reason ?? 0);
  const found = some.map(({ grade }) => grade?.found ?? 0);
  const mean = (of: readonly number[]): string => percent(of.reduce((sum, one) => sum + one, 0) / of.length);
  say(`  component right         ${share(({ grade }) => grade?.localization ?? false)}`);
  say(`  class right             ${share(({ grade }) => grade?.identification ?? false)}`);
  say(
    `  both                    ${share(({ grade }) => (grade?.localization && grade.identification) ?? false)}`,
  );
  say(`  action fits             ${share(({ grade }) => grade?.action ?? false)}`);
  say(`  steps that are shown    ${mean(reasons)} on average`);
  say(`  of what was wrong named ${mean(found)} on average`);
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
