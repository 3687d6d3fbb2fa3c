/** Records one variation of a case: through the driver of the operator, on real processes. */

import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { viaOf } from '@chaosdemo/redis-faults';
import { Supervisor } from '@chaosdemo/testbed';
import type { ChaosDemoSpec } from '../src/api/index.ts';
import { EVIDENCE_LIMITS, firstObservationMs, relativeToFirst } from '../src/evidence/index.ts';
import { rateLimiterKind } from '../src/subjects/ratelimiter/kind.ts';
import { plansOf } from '../src/subjects/scenarios/scenario-type.ts';
import { countOf } from '../survey/runner/demo.ts';
import { install } from '../survey/runner/install.ts';
import { loadLimiter } from '../survey/runner/limiters.ts';
import { rateLimiterSpec } from '../survey/runner/rate-limiter-spec.ts';
import { startLimiter } from '../survey/runner/start.ts';
import { DrivenLimiter, limiterSpec } from '../test/kit/driven-limiter.ts';
import { WATCHED_AS } from '../test/kit/sentinels.ts';
import { until } from '../test/kit/until.ts';
import { Bed, reference, type StartNodes } from './bed.ts';
import { type Case, isHeldBack, type Scene, type Variation, type WatchedFault } from './case.ts';
import type { Recording } from './recording.ts';

const SETTLE_MS = 1000;
/** After a fault: long enough for what was held back to come through. */
const AFTER_MS = 1500;
/** If the observer stood still for longer, the evidence shows this machine and not the case. */
const STOOD_STILL_MS = 300;
/** By so much a pause may be seen to last longer or shorter than requested. */
const PAUSE_WITHIN_MS = 300;

/** What a spec with a failover needs. */
const FAILS_OVER = {
  failover: 'Allow',
  sentinel: { serviceName: 'sentinel', masterName: WATCHED_AS },
};

const isFault = (watch: Variation['watch']): watch is WatchedFault => typeof watch === 'object';
const hasType = (watch: Variation['watch'], type: WatchedFault['type']): boolean =>
  isFault(watch) && watch.type === type;
/** Whether a fault proxy injects it. */
export const isProxied = (watch: Variation['watch']): boolean => isFault(watch) && viaOf(watch) === 'Proxy';

/** Records the variation `index` of a case. @throws where something did not work, with what and why */
export async function recordCase(of: Case, index: number): Promise<Recording> {
  const variation = of.variations[index];
  if (!variation) throw new RangeError(`${of.name} has no variation ${index + 1}`);
  const supervisor = new Supervisor();
  try {
    const { spec, startNodes } = await limiterOf(variation, supervisor);
    const bed = await Bed.start(supervisor, startNodes, {
      ...variation,
      gateways: variation.gateways ?? false,
      proxied: isProxied(variation.watch),
      watched: hasType(variation.watch, 'Failover'),
    });
    try {
      const { bundle, truths } = await watch(bed, spec, variation);
      const name = `${of.name}-${index + 1}`;
      return { name, case: of.name, says: of.says, heldBack: isHeldBack(of, index), truths, bundle };
    } finally {
      await bed.stop();
    }
  } finally {
    await supervisor.close();
  }
}

async function limiterOf(
  { follows, forMs, gateways, limit, limiter, rate, watch }: Variation,
  supervisor: Supervisor,
): Promise<{ spec: ChaosDemoSpec; startNodes: StartNodes }> {
  const health = { timeout: '2s' };
  const [pause, settle] = [`${forMs}ms`, `${SETTLE_MS}ms`];
  // A node that admits everything must get more requests than the limit.
  const multiplier = gateways ? 6 : 3;
  const outage = {
    fault: { ...(isFault(watch) && watch), duration: pause },
    settle,
    callerTimeout: '500ms',
    requestsPerSecond: rate,
  };
  const ofStore = { name: 'steady', type: 'StoreOutage', storeOutage: outage };
  const burst = {
    name: 'burst',
    type: 'GhostAllowing',
    expect: 'Violated',
    ghostAllowing: { multiplier, trials: 2 },
  };
  if ('mode' in limiter) {
    const steady = { fault: { duration: pause }, settle, requestsPerSecond: rate };
    return {
      startNodes: reference(supervisor, limiter.mode),
      spec: limiterSpec({ limit: { requests: limit, window: '60s' }, health }, [
        watch === 'burst'
          ? burst
          : hasType(watch, 'Disconnect')
            ? ofStore
            : { name: 'steady', type: 'CounterDrift', expect: 'Violated', counterDrift: steady },
      ]),
    };
  }
  const { burst: capacity } = limiter;
  const configured = {
    limit,
    windowSeconds: 60,
    ...(capacity !== undefined && { burst: capacity }),
  };
  const surveyed = await loadLimiter(limiter.surveyed);
  const variant = surveyed.variants.find(({ name }) => name === limiter.variant);
  if (!variant) throw new Error(`the survey has no ${limiter.surveyed} ${limiter.variant}`);
  const app = await install(surveyed, { progress: () => undefined });
  const folder = join(supervisor.temporaryFolder('corpus'), limiter.surveyed);
  const count = hasType(watch, 'DataLoss') ? countOf(surveyed, variant) : undefined;
  const options = { supervisor, limiter: surveyed, variant, app, folder, ...configured, count: 3 };
  return {
    startNodes: async (redis) => {
      // As the storage of the Python library limits is named.
      const urls = redis.map(({ host, port }) =>
        follows === 'BySentinel'
          ? `redis+sentinel://${host}:${port}/${WATCHED_AS}`
          : `redis://${host}:${port}`,
      );
      const started = await startLimiter({ ...options, redisUrl: urls });
      return started.map(({ ip: host, ...rest }) => ({ host, ...rest }));
    },
    spec: limiterSpec(
      {
        ...rateLimiterSpec(surveyed, variant, configured),
        redis: {
          serviceName: 'redis',
          ...(count && { count }),
          ...(hasType(watch, 'Failover') && FAILS_OVER),
        },
        health,
      },
      [watch === 'burst' ? burst : ofStore],
    ),
  };
}

async function watch(
  bed: Bed,
  spec: ChaosDemoSpec,
  { before, follows, forMs, act, watch: kind }: Variation,
): Promise<Pick<Recording, 'bundle' | 'truths'>> {
  before?.(bed);
  const nodes = bed.nodes.map(({ target }) => target);
  const { redis, redisTarget } = bed;
  // A fault that ends connections has to find its own in the list of the store.
  const finds = hasType(kind, 'Disconnect') || isProxied(kind);
  const { watched } = bed;
  const target = watched?.primary ?? (finds ? { ...redisTarget, port: redis.port } : redisTarget);
  const driver = new DrivenLimiter({
    pods: nodes,
    redis: target,
    spec,
    ...(bed.proxy && { faultProxy: bed.proxy.target }),
    ...(watched && { sentinels: watched.sentinels, findStore: async () => [watched.primary] as const }),
  });
  const ended = new AbortController();
  const truths: { -readonly [K in keyof Recording['truths'][number]]: Recording['truths'][number][K] }[] = [];
  const wrong: Scene['wrong'] = (anomaly, ...components) => {
    const truth = { anomaly, components, fromMs: Date.now(), toMs: Infinity };
    truths.push(truth);
    return () => {
      truth.toMs = Date.now();
    };
  };
  const scene: Scene = { bed, signal: ended.signal, wrong };
  const stalls = monitorEventLoopDelay({ resolution: 10 });
  try {
    const scenario = spec.scenarios[0]?.name ?? '';
    const key = `demo-corpus-${process.pid}-${redis.port}`;
    await driver.prepare(scenario, key);
    stalls.enable();
    const about = { fault: 'f', scenario };
    const watching = [
      { kind: 'PollHealth', intervalMs: 500 },
      { kind: 'Watch', ...about },
    ] as const;
    driver.converge(watching);
    let done: Promise<unknown> = Promise.resolve();
    if (kind === 'steady') {
      driver.converge([...watching, { kind: 'Load', ...about }]);
      done = act?.(scene) ?? done;
      await Promise.all([sleep(forMs), done]);
    } else {
      // A node that ignores its limit does so from the first request of a burst on.
      const early = kind === 'burst' ? act?.(scene) : undefined;
      await sleep(500);
      const report = await driver.inject(scenario, forMs);
      if (report?.proof !== 'Confirmed') throw new Error(`the fault is not confirmed: ${report?.message}`);
      if (kind !== 'burst') driver.converge([...watching, { kind: 'Load', ...about }]);
      done = early ?? act?.(scene) ?? done;
      await until(
        () => driver.observed.faults['f']?.endedAt !== undefined || driver.observed.readings['f']?.complete,
        {
          what: 'the end of the fault',
          deadlineMs: forMs + 20_000,
        },
      );
      await Promise.all([sleep(SETTLE_MS + AFTER_MS), done]);
      const { startedAt = 0, endedAt = Date.now(), message, proof } = driver.observed.faults['f'] ?? {};
      if (proof !== 'Confirmed') throw new Error(`the fault was not proven to its end: ${message}`);
      const times = { fromMs: startedAt, toMs: endedAt };
      const lasted = Math.round(endedAt - startedAt);
      // A failover ends once the roles are swapped.
      if (kind !== 'burst' && !hasType(kind, 'Failover') && Math.abs(lasted - forMs) > PAUSE_WITHIN_MS)
        throw new Error(`writes were paused for ${lasted} ms instead of ${forMs} ms: record it again`);
      const [planned] = plansOf(rateLimiterKind, spec);
      if (isFault(kind) && planned?.truth) {
        const { anomalies } = planned.truth;
        // A limiter that follows shows the older state of the new primary, and one that stays its lost connections.
        const shown = watched
          ? anomalies.filter((anomaly) => (anomaly === 'store-restarted') === (follows !== undefined))
          : anomalies;
        // After a failover, the new primary stays.
        const lasts = hasType(kind, 'Failover') ? { ...times, toMs: Infinity } : times;
        truths.unshift(...shown.map((anomaly) => ({ anomaly, components: ['store'], ...lasts })));
      } else if (truths.length === 0 && driver.observed.readings['f']?.detectedAt !== undefined) {
        // By the sender's own count: one that decides without knowing of the others is known by what it lets through.
        const components = nodes.map((_, index) => `replica-${index + 1}`);
        truths.push({ anomaly: 'uncoordinated-admission', components, ...times });
      }
    }
    const longestMs = Math.round(stalls.max / 1e6);
    if (longestMs > STOOD_STILL_MS)
      throw new Error(
        `this process stood still for ${longestMs} ms: record it again on a machine that is less busy`,
      );
    const { bundle, originMs } = driver.evidence ?? {};
    if (!bundle || originMs === undefined) throw new Error('nothing was seen');
    if (bundle.series.length === 0)
      throw new Error(`no series was seen, of ${EVIDENCE_LIMITS.series} at most`);
    const last = Date.now();
    const momentOf = (at: number): number =>
      Math.max(0, Math.round(Math.min(at, last) - originMs - (firstObservationMs(bundle) ?? 0)));
    return {
      bundle: relativeToFirst(bundle),
      truths: truths.map((truth) => ({
        ...truth,
        fromMs: momentOf(truth.fromMs),
        toMs: momentOf(truth.toMs),
      })),
    };
  } finally {
    stalls.disable();
    ended.abort();
    await driver.close();
  }
}
