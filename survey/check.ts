/**
 * `npm run survey:check -- [names]`: proves of each limiter and variant that its description is true: three
 * processes over one real Redis admit what they should, where the count is; then what comes back while
 * writes of Redis are paused (`--pause` says for how many milliseconds), and that all is well afterwards.
 */
import { parseArgs } from 'node:util';
import { ensureRedis } from '../src/local/binaries/redis-binary.ts';
import { messageOf } from '../src/local/errors.ts';
import { Supervisor } from '../src/local/supervisor.ts';
import { checkVariant } from './check-variant.ts';
import { install } from './runner/install.ts';
import { limiterNames, loadLimiter } from './runner/limiters.ts';

const EXIT_USAGE = 64;
const MOST_PAUSE_MS = 60_000;
const HELP = `Usage: npm run survey:check -- [names] [flags]

Starts each rate limiter of survey/limiters as three processes over one Redis, and proves that its description is
true. Without names: all of them, in every variant.

  --variant NAME  only variants of this name; may be given several times
  --pause MS      for how many milliseconds Redis takes no writes, 1 to ${MOST_PAUSE_MS} (default: 3000)
  --help          this text

Exit status: 0 all are as described, 1 not all, 64 wrong usage.
`;

const { pauseMs, positionals, values } = readArguments();
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const names = positionals.length > 0 ? positionals : limiterNames();
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupted.abort(new Error(`ended by ${signal}`)));
}
const { signal } = interrupted;
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const supervisor = new Supervisor();
let failures = 0;
try {
  await ensureRedis({ progress: say, signal });
  for (const name of names) await checkLimiter(name);
} finally {
  await supervisor.close();
}
process.exitCode = failures > 0 ? 1 : 0;

async function checkLimiter(name: string): Promise<void> {
  try {
    const limiter = await loadLimiter(name);
    const app = await install(limiter, { progress: say, signal });
    for (const variant of limiter.variants) {
      if (values.variant && !values.variant.includes(variant.name)) continue;
      const folder = supervisor.temporaryFolder(`survey-${name}`);
      const check = { supervisor, limiter, variant, app, folder, signal, pauseMs };
      const { row, faults } = await checkVariant(check);
      process.stdout.write(`${row}\n`);
      for (const fault of faults) say(`  NOT AS DESCRIBED: ${fault}`);
      failures += faults.length;
    }
  } catch (error) {
    signal.throwIfAborted();
    failures++;
    say(`${name}: ${messageOf(error)}`);
  }
}

/** Ends the process where they cannot be used. */
function readArguments() {
  try {
    const read = parseArgs({
      allowPositionals: true,
      options: {
        variant: { type: 'string', multiple: true },
        pause: { type: 'string', default: '3000' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    const pauseMs = Number(read.values.pause);
    if (pauseMs > 0 && pauseMs <= MOST_PAUSE_MS) return { ...read, pauseMs };
    throw new RangeError(`--pause takes 1 to ${MOST_PAUSE_MS} milliseconds`);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\nnpm run survey:check -- --help says more\n`);
    return process.exit(EXIT_USAGE);
  }
}
