/**
 * `npm run survey -- [names] [--first] [--variant N] [--out folder]`: puts real rate limiters, unmodified, before the operator,
 * one at a time, and writes what their callers got while Redis took no writes: `survey.json`, and a page made of it.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureControlPlaneBinaries } from '../src/local/binaries/control-plane-binaries.ts';
import { ensureRedis } from '../src/local/binaries/redis-binary.ts';
import { startControlPlane } from '../src/local/control-plane.ts';
import { messageOf } from '../src/local/errors.ts';
import { startOperator } from '../src/local/operator.ts';
import { Supervisor } from '../src/local/supervisor.ts';
import { install } from './install.ts';
import { limiterNames, loadLimiter } from './limiters.ts';
import { pageOf } from './page.ts';
import { type Surveyed, surveyVariant } from './survey-variant.ts';

const HELP = `Usage: npm run survey -- [names] [--first] [--variant NAME ...] [--out FOLDER]

Starts each rate limiter of survey/limiters as three processes over one Redis, and lets the operator tell what their
callers get while Redis takes no writes. Without names: all of them, in about half an hour.

  --first         only the first variant of each: what a user gets who changes nothing
  --variant NAME  only variants of this name; may be given several times
  --out FOLDER    where survey.json and survey.md are written (default: docs)
  --help          this text
`;

const namespace = 'ratelimiter';
const crds = fileURLToPath(new URL('../crds', import.meta.url));
const args = process.argv.slice(2);
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    first: { type: 'boolean', default: false },
    variant: { type: 'string', multiple: true },
    out: { type: 'string', default: 'docs' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => interrupted.abort(new Error(`ended by ${name}`)));
}
const { signal } = interrupted;
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const supervisor = new Supervisor();
const all: Surveyed[] = [];
try {
  const names = positionals.length > 0 ? positionals : await limiterNames();
  await ensureRedis({ progress: say, signal });
  const binaries = await ensureControlPlaneBinaries({ progress: say, signal });
  const controlPlane = await startControlPlane({ binaries, supervisor, signal });
  const { kubectl } = controlPlane;
  await kubectl.applyCustomResourceDefinitions(crds, { signal });
  await kubectl.createNamespace(namespace, { 'chaosdemo.dev/enabled': 'true' });
  const operator = await startOperator({ controlPlane, supervisor }, { args: ['--fault-rest=0s'], signal });
  for (const name of names) {
    const limiter = await loadLimiter(name);
    const app = await install(limiter, { progress: say, signal });
    for (const variant of values.first ? limiter.variants.slice(0, 1) : limiter.variants) {
      if (values.variant && !values.variant.includes(variant.name)) continue;
      const folder = supervisor.temporaryFolder(`survey-${name}`);
      const options = { supervisor, limiter, variant, app, folder, signal, kubectl, namespace };
      const surveyed = await surveyVariant(options).catch((error: unknown): Surveyed => {
        signal.throwIfAborted();
        const packaged = `${limiter.package} ${limiter.version}`;
        return {
          limiter: name,
          variant: variant.name,
          package: packaged,
          message: messageOf(error),
          scenarios: [],
        };
      });
      all.push(surveyed);
      say(`${name} (${variant.name}): ${surveyed.behaviour ?? `not told: ${surveyed.message}`}`);
    }
  }
  await operator.stop();
  await mkdir(values.out, { recursive: true });
  await writeFile(join(values.out, 'survey.json'), `${JSON.stringify(all, undefined, 2)}\n`);
  await writeFile(
    join(values.out, 'survey.md'),
    await pageOf(all, ['npm run survey', ...(args.length > 0 ? ['--', ...args] : [])].join(' ')),
  );
  say(`written: ${join(values.out, 'survey.json')} and ${join(values.out, 'survey.md')}`);
} finally {
  await supervisor.close();
}
process.exitCode = all.every(({ behaviour }) => behaviour !== undefined) ? 0 : 1;
