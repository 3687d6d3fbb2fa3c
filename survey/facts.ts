/**
 * `node survey/facts.ts [name[/variant]...]`: what `chaosdemo test` and `kubectl chaosdemo init` find out about each rate
 * limiter of the survey, next to what its description states.
 */

import { messageOf, Supervisor, startRedis } from '@chaosdemo/testbed';
import { Command } from 'commander';
import type { ProbeOptions } from '../src/cli/probe/options.ts';
import { type Probed, probeApi } from '../src/cli/probe/probe.ts';
import { runProgram } from '../src/cli/program.ts';
import { PodClient } from '../src/subjects/http/pod-client.ts';
import { configuredOf } from './runner/demo.ts';
import { install } from './runner/install.ts';
import type { SurveyedLimiter, Variant } from './runner/limiter.ts';
import { limiterNames, loadLimiter } from './runner/limiters.ts';
import { rateLimiterSpec } from './runner/rate-limiter-spec.ts';
import { startLimiter, stopLimiter } from './runner/start.ts';

/** What a user would write. */
interface Written {
  readonly http: Pick<Probed['request'], 'headers'>;
  readonly health: { readonly path: string };
  readonly limit: Pick<Probed['limit'], 'algorithm' | 'requests' | 'window' | 'windowStart'>;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

await runProgram(new Command('node survey/facts.ts').argument('[names...]', 'limiters (default: all)'), {
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

/** One process of the limiter, with a Redis, and the probe. */
async function rowOf(written: string, supervisor: Supervisor, signal: AbortSignal): Promise<string> {
  const [name = '', variantName] = written.split('/');
  const limiter = await loadLimiter(name);
  const variant = limiter.variants.find((each) => each.name === variantName) ?? limiter.variants[0];
  const app = await install(limiter, { progress: say, signal });
  const redis = await startRedis({ supervisor });
  const redisUrl = `redis://${redis.host}:${redis.port}`;
  const configured = configuredOf(limiter);
  const folder = supervisor.temporaryFolder(`facts-${name}`);
  const start = { supervisor, limiter, variant, app, folder, signal, count: 1, redisUrl };
  const processes = await startLimiter({ ...start, ...configured });
  try {
    const [only] = processes;
    if (!only) throw new Error('no process was started');
    const { ip: host, name: pod, port } = only;
    const client = new PodClient({ name: pod, host, port }, Date.now);
    const began = performance.now();
    const place = { client, signal, path: limiter.request.path, advice: 'See its output', print: say };
    const { facts, findings } = await probeApi(given(limiter), place);
    const seconds = Math.round((performance.now() - began) / 1000);
    const source = findings.find(({ what }) => what === 'algorithm')?.source ?? '';
    return rowText(written, limiter, variant, facts, { source, seconds });
  } finally {
    await stopLimiter(processes);
    await redis.stop();
  }
}

/** What a probe cannot find: the body of a request. */
function given({ request: { body, headers = {}, method } }: SurveyedLimiter): ProbeOptions {
  if (body === undefined) return { method: 'GET' };
  const header = Object.entries(headers).map(([name, value]) => ({ name, value }));
  return { method, header, body: body.replace('{key}', '$(key)') };
}

function rowText(
  name: string,
  limiter: SurveyedLimiter,
  variant: Variant,
  { healthPath = 'none', limit, request }: Probed,
  { seconds, source }: { readonly seconds: number; readonly source: string },
): string {
  const expected = rateLimiterSpec(limiter, variant, configuredOf(limiter)) as unknown as Written;
  const of = (one: Written['limit']): string => [one.algorithm ?? [], one.windowStart ?? []].flat().join(' ');
  const placeIn = ({ headers }: Written['http']): string =>
    headers.find(({ value }) => value.includes('$(key)'))?.name ?? 'the body';
  const same = (found: string | number, right: string | number): string =>
    String(found).toLowerCase() === String(right).toLowerCase() ? `${found}` : `${found}, wrong: ${right}`;
  const inSeconds = (window: string): string => window.replace(/^1h$/, '3600s').replace(/^1m$/, '60s');
  return `| ${[
    name,
    same(limit.requests, expected.limit.requests),
    same(placeIn(request), placeIn(expected.http)),
    same(inSeconds(limit.window), expected.limit.window),
    source === 'not known' ? source : `${of(limit)} (${source})`,
    same(healthPath, expected.health.path),
    seconds,
  ].join(' | ')} |`;
}
