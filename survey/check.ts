/**
 * `npm run survey:check -- [names]`: proves of each limiter and variant that its description is true: three
 * processes over one real Redis admit what they should, where the count is; then what comes back while
 * writes of Redis are paused (`--pause` says for how many milliseconds), and that all is well afterwards.
 */
import { parseArgs } from 'node:util';
import { ensureRedis } from '../src/local/binaries/redis-binary.ts';
import { messageOf } from '../src/local/errors.ts';
import { Supervisor } from '../src/local/supervisor.ts';
import { install } from '../src/local/surveyed/install.ts';
import { limiterNames, loadLimiter } from '../src/local/surveyed/limiters.ts';
import { checkVariant } from './check-variant.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { variant: { type: 'string', multiple: true }, pause: { type: 'string', default: '3000' } },
});
const names = positionals.length > 0 ? positionals : limiterNames();
const pauseMs = Number(values.pause);
if (!(pauseMs > 0 && pauseMs <= 60_000)) throw new RangeError('--pause takes 1 to 60000 milliseconds');
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
