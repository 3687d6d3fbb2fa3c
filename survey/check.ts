/**
 * `npm run survey:check -- [names]`: proves of each limiter and variant that its description is true: three
 * processes over one real Redis admit what they should, where the count is; then what comes back while
 * writes of Redis are paused (`--pause` says for how many milliseconds), and that all is well afterwards.
 */
import { messageOf, Supervisor } from '@chaosdemo/testbed';
import { runProgram } from '../src/cli/program.ts';
import { ensureRedis } from '../tools/binaries/redis.ts';
import { type CheckOptions, checkCommand } from './arguments.ts';
import { checkVariant } from './check-variant.ts';
import { install } from './runner/install.ts';
import { limiterNames, loadLimiter } from './runner/limiters.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const supervisor = new Supervisor();

await runProgram<CheckOptions>(checkCommand(), {
  failed: 1,
  async main(options, signal, names) {
    let faults = 0;
    try {
      await ensureRedis({ progress: say, signal });
      for (const name of names.length > 0 ? names : limiterNames()) {
        faults += await checkLimiter(name, options, signal);
      }
    } finally {
      await supervisor.close();
    }
    return faults > 0 ? 1 : 0;
  },
});

/** Returns how many faults there are. */
async function checkLimiter(
  name: string,
  { pause, variant: variants }: CheckOptions,
  signal: AbortSignal,
): Promise<number> {
  let failures = 0;
  try {
    const limiter = await loadLimiter(name);
    const app = await install(limiter, { progress: say, signal });
    for (const variant of limiter.variants) {
      if (variants && !variants.includes(variant.name)) continue;
      const folder = supervisor.temporaryFolder(`survey-${name}`);
      const check = { supervisor, limiter, variant, app, folder, signal, pauseMs: pause };
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
  return failures;
}
