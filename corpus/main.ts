/**
 * `npm run corpus -- [cases]`: records evidence of real watches in which it is known what was wrong, for
 * `npm run bench:diagnosis`. Existing recordings are replaced only with --again.
 */

import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '@chaosdemo/testbed';
import { install } from '../survey/runner/install.ts';
import { loadLimiter } from '../survey/runner/limiters.ts';
import { inOwnNetwork, runInOwnNetwork } from '../survey/runner/own-network.ts';
import { ensureRedis } from '../tools/binaries/redis.ts';
import { CASES } from './cases.ts';
import { isProxied, recordCase } from './record.ts';
import { RECORDINGS } from './recording.ts';

const HELP = `Usage: npm run corpus -- [cases] [--again] [--at-once N] [--out FOLDER]

Records the evidence that the operator has of real rate limiters and a real Redis with no problem, one or two.
Without cases: all of them.

  --again      also those that have recordings
  --at-once N  cases at the same time, 1 to 8 (default 3)
  --out FOLDER the folder of recordings (default: corpus/recordings)
  --help       this text

Cases: ${CASES.map(({ name, variations }) => `${name} (${variations.length})`).join(', ')}
Exit status: 0 all recorded, 1 some could not be, 64 wrong usage.
`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    again: { type: 'boolean', default: false },
    'at-once': { type: 'string', default: '3' },
    out: { type: 'string', default: RECORDINGS },
    help: { type: 'boolean', default: false },
  },
});
const atOnce = Number(values['at-once']);
const unknown = positionals.filter((name) => !CASES.some((one) => one.name === name));
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
if (unknown.length > 0 || !(Number.isInteger(atOnce) && atOnce >= 1 && atOnce <= 8)) {
  process.stderr.write(
    unknown.length > 0 ? `no such case: ${unknown.join(', ')}\n` : `--at-once is 1 to 8\n`,
  );
  process.stderr.write(HELP);
  process.exit(64);
}

const start = performance.now();
const say = (line: string): void =>
  void process.stdout.write(`[${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s] ${line}\n`);
await ensureRedis({ progress: say });
await mkdir(values.out, { recursive: true });
const all = CASES.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  .flatMap((one) => one.variations.map((_, index) => ({ one, index, name: `${one.name}-${index + 1}` })))
  .map((entry) => ({ ...entry, file: join(values.out, `${entry.name}.json`) }))
  .filter(({ file }) => values.again || !existsSync(file));
// Pods behind a fault proxy need different addresses: this command records them when it runs again, in a separate
// network, where nothing can be installed.
const proxied = all.filter(({ index, one }) => isProxied(one.variations[index]?.watch ?? 'steady'));
const todo = inOwnNetwork ? proxied : all.filter((entry) => !proxied.includes(entry));
let done = 0;
let failures = 0;
await Promise.all(
  Array.from({ length: atOnce }, async () => {
    for (let entry = todo.shift(); entry; entry = todo.shift()) {
      const { file, index, name, one } = entry;
      try {
        const recording = await recordCase(one, index);
        await writeFile(file, `${JSON.stringify(recording)}\n`);
        const { bundle, truths } = recording;
        const wrong = truths.map(({ anomaly, components }) => `${anomaly} in ${components.join(', ')}`);
        say(
          `${name}: ${wrong.join('; ') || 'nothing wrong'}; ${bundle.series.length} series, ${bundle.events.length} events`,
        );
      } catch (error) {
        failures += 1;
        say(`${name}: not recorded: ${messageOf(error)}`);
      }
      done += 1;
    }
  }),
);
say(`${done - failures} recorded, ${failures} failed`);
let status = failures === 0 ? 0 : 1;
if (!inOwnNetwork && proxied.length > 0) {
  for (const { index, one } of proxied) {
    const limiter = one.variations[index]?.limiter;
    if (limiter && 'surveyed' in limiter)
      await install(await loadLimiter(limiter.surveyed), { progress: say });
  }
  status = Math.max(status, await runInOwnNetwork(new AbortController().signal));
}
process.exit(status);
