/** `chaosdemo test`: from an API on this machine to a verdict, in this process. */

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type ChosenFault, viaOf } from '@chaosdemo/redis-faults';
import { UsageError } from '@chaosdemo/settings';
import { Supervisor } from '@chaosdemo/testbed';
import { type ChaosDemo, counted, formatDuration } from '../../api/index.ts';
import { accepts } from '../../local/address.ts';
import { NAMESPACE, type StartedLimiters } from '../../local/environment.ts';
import { CALLERS_SECRET, limiterTarget } from '../../local/target.ts';
import { faultOf } from '../../subjects/scenarios/store-fault.ts';
import { memoryApiServer } from '../api-server/in-memory.ts';
import { exitOfRun } from '../exit-status.ts';
import { LIBRARIES, type Library, librariesIn } from '../libraries.ts';
import { requireOutputs } from '../outputs.ts';
import type { Plan } from '../plan.ts';
import { type ApiFacts, type PlannedRun, runOnMost } from '../probe/manifest.ts';
import type { ProbeResult } from '../probe/probe.ts';
import { yamlOf } from '../probe/yaml.ts';
import { progress, runPlan } from '../run-plan.ts';
import type { TestOptions } from './arguments.ts';
import { HEAD, LABELS, NAME, placeOf } from './place.ts';
import { lastOutput, type Prepared, prepare, type Started } from './prepare.ts';
import { RedisOfApi } from './redis.ts';
import { readSpecFile } from './spec-file.ts';
import type { OwnRedis } from './target.ts';

/** How long an instance that is not tested has to end; milliseconds. */
const STOP_MS = 2_000;

/** Runs the test to its end. Returns the exit status. @throws UsageError or TestbedError with what to do */
export async function runTest(options: TestOptions, signal: AbortSignal): Promise<number> {
  requireOutputs(options);
  const spec = options.file === undefined ? undefined : await readSpecFile(options.file, options.accept);
  const supervisor = new Supervisor();
  try {
    const start = { onProgress: progress, supervisor, signal };
    const faults =
      spec?.faults ?? (options.fault ?? ['Stall']).map((type) => faultOf(type, options.duration ?? '10s'));
    const isProxied = requireProxy(faults, options.start);
    const needsCount = faults.some(({ type }) => type === 'DataLoss');
    const prepared = await prepare(options, start, { isProxied, needsCount });
    const { pool, probed } = prepared;
    const libraries = await librariesIn('.');
    if (probed) requireWindow(probed);
    if (probed && needsCount) requireCount(prepared);
    const { count, login, server } = prepared;
    // The user named this Redis. All clients on loopback have the address of the instances, and those in a container
    // another one, so they cannot be distinguished.
    const place = placeOf(login, { allowOtherClients: server === undefined, count, isProxied });
    const callersSecretName = pool && CALLERS_SECRET;
    const run =
      probed && (await runOfFacts(prepared, probed, options, { place, callersSecretName }, libraries));
    if (!prepared.server) progress('redis', 'writes of all its clients stall for 5 s or more during the run');
    const instances = run?.instances ?? prepared.instances.length;
    await Promise.all(prepared.started.slice(instances).map(({ process }) => process.stop(STOP_MS)));
    const tested: Prepared = {
      ...prepared,
      instances: prepared.instances.slice(0, instances),
      started: prepared.started.slice(0, instances),
    };
    const plan: Plan = {
      demo: spec?.demoAt(place) ?? (run as PlannedRun).demo,
      from: options.file ?? `the ChaosDemo ${NAME}`,
      supervisor,
      launch: async () => launchedOf(tested, pool?.rested(Number.POSITIVE_INFINITY)),
      ...(!prepared.server && {
        cleanUp: async (ended) => await removeKeys(ended, prepared.redis),
      }),
      libraries,
      ended: async () => await endedOf(tested),
      hints: (ended) => hintsOf(ended, tested.started),
    };
    return exitOfRun(await runPlan(plan, options, signal, memoryApiServer));
  } finally {
    await supervisor.close();
  }
}

/** Whether a fault needs a proxy between the instances and Redis. @throws UsageError if they cannot get its address */
function requireProxy(faults: readonly ChosenFault[], start: string | undefined): boolean {
  const proxied = faults.filter((fault) => viaOf(fault) === 'Proxy').map(({ type }) => type);
  if (proxied.length === 0) return false;
  if (start !== undefined) return true;
  throw new UsageError(
    `a fault ${proxied.join(',')} needs a fault proxy in front of Redis, and instances that run already do not connect to it: start them with --start, which gives them its address in REDIS_URL`,
  );
}

/** @throws UsageError if it was not found where Redis counts */
function requireCount({ count }: Prepared): void {
  if (count) return;
  throw new UsageError(
    'DataLoss removes the counts of callers, and no key of Redis with the name of a caller holds one: write redis.count in a file (docs/your-limiter.md), and run it by --file',
  );
}

/** The run on what was found out, with its file if one is to be written. @throws UsageError if none shows anything */
async function runOfFacts(
  { count, instances, proxy, redis }: Prepared,
  { facts, findings }: ProbeResult,
  { accept, duration, fault: faults, quick, save, seed }: TestOptions,
  here: Pick<ApiFacts, 'callersSecretName' | 'place'>,
  libraries: readonly Library[],
): Promise<ReturnType<typeof runOnMost>> {
  const known: ApiFacts = {
    ...facts,
    accept,
    duration,
    faults,
    quick,
    seed,
    ...here,
    instances: instances.length,
  };
  const run = runOnMost(known);
  if (run.instances < instances.length)
    progress('limiters', `testing ${run.instances} of them, since all of them share one small limit`);
  if (run.length.cooldowns > 0) progress('demo', lengthText(run.length, libraries));
  if (save !== undefined) {
    const saved = {
      ...known,
      instances: run.instances,
      place: placeOf(redis, { count, isProxied: proxy !== undefined }),
    };
    await writeFile(save, yamlOf(saved, findings, HEAD));
    progress('demo', `wrote ${resolve(save)}`);
  }
  return run;
}

/** Windows of the test need not be shorter: below 13 s, a run does not fit. */
const SHORT_MS = 40_000;

/** Why a run with one caller takes long, and how to shorten it. */
function lengthText({ cooldownMs, cooldowns, ms }: PlannedRun['length'], found: readonly Library[]): string {
  // If none was found, the first of all is the example.
  const { name, window } = [...found, ...LIBRARIES].find((one) => one.window !== undefined) ?? {};
  const waits = `${counted(cooldowns, 'time')} up to ${formatDuration(cooldownMs)}`;
  const shorter = `. With a shorter window in the settings of the limiter, such as ${window} of ${name}, it takes less`;
  return `all requests share the limit of one address: the run waits ${waits} until it is replenished, and takes up to ${formatDuration(Math.ceil(ms / 60_000) * 60_000)}${cooldownMs > SHORT_MS ? shorter : ''}`;
}

/** A wrong window would show a violation of a limiter that keeps its limit. @throws UsageError */
export function requireWindow({ findings }: Pick<ProbeResult, 'findings'>): void {
  const guessed = findings.find(
    ({ source, what }) => what === 'window' && (source === 'guess' || source === 'not known'),
  );
  if (!guessed) return;
  throw new UsageError(
    `the window is a guess (${guessed.because}), and a wrong one accuses a limiter that keeps its limit: write --window`,
  );
}

/** Messages about instances of --url that accept connections no longer. */
async function endedOf({ instances, started }: Prepared): Promise<readonly string[]> {
  const others = started.length > 0 ? [] : instances;
  const isRunning = await Promise.all(others.map(accepts));
  const ended = others.filter((_, i) => !isRunning[i]);
  return ended.map(
    ({ host, name, port }) =>
      `${name} ended during the run: nothing accepts connections at ${host}:${port}. Start it, and run again`,
  );
}

/** What may help with a run that did not succeed. */
export function hintsOf(
  { status = {} }: Pick<ChaosDemo, 'status'>,
  started: readonly Started[],
): readonly string[] {
  const { message = '', phase, scenarios = [] } = status;
  if (phase !== 'Errored') return [];
  const text = [message, ...scenarios.map((scenario) => scenario.message)].join(' ');
  // The output of those that have ended is printed anyway.
  return started
    .filter(({ name, process }) => process.exit === undefined && new RegExp(`\\b${name}\\b`).test(text))
    .flatMap(lastOutput);
}

/** `accounts`: those of --callers that the probe did not use. */
function launchedOf(
  { instances, login, proxy, redis, server, started }: Prepared,
  accounts: readonly string[] | undefined,
): StartedLimiters {
  const place = { namespace: NAMESPACE, labels: LABELS };
  return {
    ...(server && { server }),
    limiters: started,
    target: limiterTarget({ ...place, limiters: instances, redis, login, proxy, accounts }),
  };
}

/** Limits of callers of the run expire, but a window may take an hour. Reports whether Redis takes writes. */
async function removeKeys({ metadata: { uid } }: ChaosDemo, redis: OwnRedis): Promise<void> {
  const connection = new RedisOfApi(redis);
  try {
    // As fixtures of this object begin.
    const removed = await connection.removeKeys(`demo-chaos-key-${uid.slice(0, 8)}-`);
    progress('redis', `removed ${removed} keys of callers of this run`);
    if (await connection.takesWrites()) progress('redis', `${redis.host}:${redis.port} takes writes`);
  } catch {
    progress('redis', 'keys of callers of this run could not be removed; they expire with their windows');
  } finally {
    connection.close();
  }
}
