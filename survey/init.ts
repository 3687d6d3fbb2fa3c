/**
 * `node survey/init.ts [name[/variant]...]`: what `chaosdemo init --url` finds out about each rate limiter of the
 * survey, next to what its description states. Prints the rows of the table in docs/your-limiter.md.
 */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { messageOf, Supervisor, startRedis } from '@chaosdemo/testbed';
import { Command } from 'commander';
import { parse } from 'yaml';
import { runProgram } from '../src/cli/program.ts';
import { configuredOf } from './runner/demo.ts';
import { install } from './runner/install.ts';
import type { SurveyedLimiter, Variant } from './runner/limiter.ts';
import { limiterNames, loadLimiter } from './runner/limiters.ts';
import { rateLimiterSpec } from './runner/rate-limiter-spec.ts';
import { startLimiter, stopLimiter } from './runner/start.ts';

const PROGRAM = fileURLToPath(new URL('../src/cli/chaosdemo.ts', import.meta.url));
const LONGEST_MS = 180_000;

interface Written {
  readonly http: { readonly headers: readonly { readonly name: string; readonly value: string }[] };
  readonly health: { readonly path: string };
  readonly limit: {
    readonly requests: number;
    readonly window: string;
    readonly algorithm: string;
    readonly windowStart?: string;
  };
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

await runProgram(new Command('node survey/init.ts').argument('[names...]', 'limiters (default: all)'), {
  failed: 1,
  async main(_options, signal, names) {
    let failures = 0;
    for (const name of names.length > 0 ? names : limiterNames()) {
      const supervisor = new Supervisor();
      try {
        process.stdout.write(`${await rowOf(name, supervisor, signal)}\n`);
      } catch (error) {
        signal.throwIfAborted();
        failures += 1;
        process.stdout.write(`| ${name} | not run: ${messageOf(error).split('\n')[0]} |\n`);
      } finally {
        await supervisor.close();
      }
    }
    return failures > 0 ? 1 : 0;
  },
});

/** One process of the limiter, with a Redis, and the command. */
async function rowOf(written: string, supervisor: Supervisor, signal: AbortSignal): Promise<string> {
  const [name = '', variantName] = written.split('/');
  const limiter = await loadLimiter(name);
  const variant = limiter.variants.find((each) => each.name === variantName) ?? limiter.variants[0];
  const app = await install(limiter, { progress: say, signal });
  const redis = await startRedis({ supervisor });
  const redisUrl = `redis://${redis.host}:${redis.port}`;
  const configured = configuredOf(limiter);
  const folder = supervisor.temporaryFolder(`init-${name}`);
  const start = { supervisor, limiter, variant, app, folder, signal, count: 1, redisUrl };
  const processes = await startLimiter({ ...start, ...configured });
  try {
    const args = [
      'init',
      '--yes',
      `--redis=${redisUrl}`,
      `--url=${processes[0]?.url}${limiter.request.path}`,
    ];
    const began = performance.now();
    const command = [PROGRAM, ...args, ...given(limiter)];
    const { stderr, stdout } = await promisify(execFile)(process.execPath, command, {
      signal,
      timeout: LONGEST_MS,
    });
    const seconds = Math.round((performance.now() - began) / 1000);
    say(stderr);
    const { spec } = parse(stdout) as { spec: { rateLimiter: Written } };
    const source = /algorithm, ([a-z ]+):/.exec(stderr)?.[1] ?? '';
    return rowText(written, limiter, variant, spec.rateLimiter, { source, seconds });
  } finally {
    await stopLimiter(processes);
    await redis.stop();
  }
}

/** What `init` cannot find: the body of a request. */
function given({ request: { body, headers = {}, method } }: SurveyedLimiter): string[] {
  if (body === undefined) return [];
  const lines = Object.entries(headers).map(([name, value]) => `--header=${name}: ${value}`);
  return [`--method=${method}`, ...lines, `--body=${body.replace('{key}', '$(key)')}`];
}

function rowText(
  name: string,
  limiter: SurveyedLimiter,
  variant: Variant,
  { health, http, limit }: Written,
  { seconds, source }: { readonly seconds: number; readonly source: string },
): string {
  const expected = rateLimiterSpec(limiter, variant, configuredOf(limiter)) as unknown as Written;
  const of = (one: Written['limit']): string => [one.algorithm, one.windowStart ?? []].flat().join(' ');
  const placeIn = ({ headers }: Written['http']): string =>
    headers.find(({ value }) => value.includes('$(key)'))?.name ?? 'the body';
  const same = (found: string | number, right: string | number): string =>
    String(found).toLowerCase() === String(right).toLowerCase() ? `${found}` : `${found}, wrong: ${right}`;
  const inSeconds = (window: string): string => window.replace(/^1h$/, '3600s').replace(/^1m$/, '60s');
  return `| ${[
    name,
    same(limit.requests, expected.limit.requests),
    same(placeIn(http), placeIn(expected.http)),
    same(inSeconds(limit.window), expected.limit.window),
    source === 'not known' || limit.windowStart === 'Unknown'
      ? `not known (${of(expected.limit)})`
      : `${same(of(limit), of(expected.limit))} (${source})`,
    same(health.path, expected.health.path),
    seconds,
  ].join(' | ')} |`;
}
