/** One run of the torture: one plan on one stage, from applying the objects until nothing is left of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lease } from '@chaosdemo/kube-runtime';
import { parseDuration } from '../../src/api/index.ts';
import { FAULT_PROXY } from '../../src/local/fault-proxy.ts';
import { demoSpec, rateLimiterOf, redisRef } from '../kit/demo.ts';
import type { Demos } from '../kit/demos.ts';
import { TOKEN } from '../kit/fault-proxy.ts';
import { HTTP_LIMIT } from '../kit/http-node.ts';
import { SENTINEL_REF } from '../kit/redis-under-sentinels.ts';
import { checkLane } from './checks/index.ts';
import { secretsIn } from './checks/secrets.ts';
import type { Wrong } from './checks/seen.ts';
import { Director } from './director.ts';
import type { Lane } from './lane.ts';
import { type LanePlan, type Plan, VIA_PROXY } from './plan.ts';
import { now, TortureRecord } from './record.ts';
import {
  BURST_SCENARIO,
  deadlineOf,
  LIMIT,
  OUTAGE_SCENARIO,
  OVERTIME_MS,
  TIMEOUT_MS,
  WINDOW_SEC,
} from './settings.ts';
import type { Stage } from './stage.ts';

/** From the request for its deletion until the object is gone: the time for its leader to release what is active. */
const GONE_MS = 60_000;
/** Until all else is gone: a Lease that could not be deleted expires. */
const NOTHING_LEFT_MS = 40_000;

export interface RoundResult {
  readonly plan: Plan;
  readonly record: TortureRecord;
  readonly wrong: readonly Wrong[];
  /** How each lane ended: "Succeeded", or "deleted". */
  readonly ends: readonly string[];
}

export interface RoundOptions {
  readonly stage: Stage;
  readonly plan: Plan;
  readonly say: (line: string) => void;
  /** Ends the run at once; what it throws is the reason. */
  readonly signal: AbortSignal;
}

export async function playRound({ plan, say, signal, stage }: RoundOptions): Promise<RoundResult> {
  const name = `run-${plan.seed}`;
  const record = new TortureRecord();
  stage.record = record;
  await Promise.all(stage.lanes.map((lane) => lane.untilSettled()));
  // What an earlier run has left was reported with that run.
  const before = new Set((await Promise.all(stage.lanes.map((lane) => lane.left()))).flat());
  await Promise.all(plan.lanes.map((lane, i) => demosOf(stage, i).applySpec(name, specOf(lane))));
  await Promise.all(stage.replicas.map(({ proxy }) => proxy.keepLists()));
  const director = new Director(plan, stage, record, { name, say });
  stage.passing = (lane, what) => director.passing(lane, what);
  const wrong: Wrong[] = [];
  try {
    await untilEnded(name, record, plan.lanes, signal);
  } finally {
    await director.end();
    stage.passing = async () => 'pass';
  }
  await stage.untilWell();
  for (const [i, lane] of stage.lanes.entries()) {
    wrong.push(...(await removeAndLook(demosOf(stage, i), lane, { name, number: i, before, signal })));
  }
  // The observer hears of the end of the objects a moment later.
  await sleep(200, undefined, { signal });
  record.close(now());
  const ends: string[] = [];
  for (const [i, lane] of plan.lanes.entries()) {
    wrong.push(...checkLane({ record, lane: i, plan: lane, name }));
    ends.push(endOf(record, i));
  }
  wrong.push(
    ...secretsIn(record, await stage.operatorLogs(), [
      ...stage.lanes.map(({ users }) => users.operator.password),
      TOKEN,
    ]),
  );
  return { plan, record, wrong, ends };
}

function demosOf(stage: Stage, lane: number): Demos {
  const demos = stage.demos[lane];
  if (!demos) throw new RangeError(`there is no lane ${lane}`);
  return demos;
}

/** An outage of the Redis of a limiter behind HTTP, which fails closed. */
function httpSpecOf(lane: LanePlan): object {
  const request = { method: 'POST', path: '/check', body: '{"key":"$(key)"}' };
  const { requests, windowSec } = HTTP_LIMIT;
  return demoSpec({
    rateLimiter: rateLimiterOf({
      http: request,
      limit: { requests, window: `${windowSec}s`, algorithm: 'FixedWindow', windowStart: 'FirstRequest' },
      health: { path: '/health', timeout: `${TIMEOUT_MS}ms` },
      // The observer is one.
      redis: redisRef({
        otherClients: 'Allow',
        ...(lane.mode === 'proxied' && { faultProxy: FAULT_PROXY }),
        ...(lane.fault === 'Failover' && { failover: 'Allow', sentinel: SENTINEL_REF }),
        ...(lane.fault === 'DataLoss' && { count: { key: 'rl:http:$(key)' } }),
      }),
    }),
    activeDeadline: deadlineOf(lane),
    scenarios: [
      {
        name: OUTAGE_SCENARIO,
        type: 'StoreOutage',
        expect: 'Any',
        countdown: lane.countdown,
        storeOutage: {
          fault: { ...injectedBy(lane), duration: `${lane.pauseMs}ms` },
          callerTimeout: '500ms',
          requestsPerSecond: 10,
          settle: '2s',
          accept: ['Enforces'],
        },
      },
    ],
  });
}

function injectedBy({ fault = 'Stall' }: LanePlan): object {
  return fault === 'Blackhole' ? VIA_PROXY.Blackhole : { type: fault };
}

function specOf(lane: LanePlan): object {
  if (lane.fault) return httpSpecOf(lane);
  const expect = lane.mode === 'strict' ? 'Held' : 'Violated';
  return demoSpec({
    rateLimiter: rateLimiterOf({
      limit: { requests: LIMIT, window: `${WINDOW_SEC}s` },
      health: { timeout: `${TIMEOUT_MS}ms` },
    }),
    activeDeadline: deadlineOf(lane),
    scenarios: [
      {
        name: 'drift',
        type: 'CounterDrift',
        expect,
        countdown: lane.countdown,
        counterDrift: {
          fault: { duration: `${lane.pauseMs}ms` },
          requestsPerSecond: lane.requestsPerSecond,
          settle: '1s',
        },
      },
      {
        name: BURST_SCENARIO,
        type: 'GhostAllowing',
        expect,
        countdown: lane.countdown,
        // One burst, so that each of its requests is in the figures.
        ghostAllowing: { multiplier: lane.multiplier, trials: 1 },
      },
    ],
  });
}

/** Waits until every lane has a verdict, or its object is gone, or its time is over; the checks find the latter. */
async function untilEnded(
  name: string,
  record: TortureRecord,
  lanes: readonly LanePlan[],
  signal: AbortSignal,
): Promise<void> {
  const longest = Math.max(...lanes.map((lane) => parseDuration(deadlineOf(lane))));
  const until = performance.now() + longest + OVERTIME_MS;
  const hasEnded = (lane: number): boolean => {
    const last = record.of('version', lane).findLast(({ object }) => object.metadata.name === name);
    return last?.type === 'DELETED' || last?.object.status?.run?.completedAt !== undefined;
  };
  while (performance.now() < until) {
    if (lanes.every((_, lane) => hasEnded(lane))) return;
    await sleep(100, undefined, { signal });
  }
}

async function removeAndLook(
  demos: Demos,
  lane: Lane,
  {
    before,
    name,
    number,
    signal,
  }: {
    readonly before: ReadonlySet<string>;
    readonly name: string;
    readonly number: number;
    readonly signal: AbortSignal;
  },
): Promise<Wrong[]> {
  const wrong = (message: string): Wrong => ({
    check: 'nothing left',
    lane: number,
    at: Date.now(),
    message,
  });
  try {
    await demos.delete(name, GONE_MS);
  } catch (error) {
    const left = await demos.object(name).catch(() => undefined);
    const finalizers = left?.metadata.finalizers?.join(', ') ?? 'none';
    return [
      wrong(
        `${name} is not gone ${GONE_MS} ms after its deletion, finalizers ${finalizers}: ${String(error)}`,
      ),
    ];
  }
  const until = performance.now() + NOTHING_LEFT_MS;
  for (;;) {
    const leases = (await demos.leases()).filter(isHeld);
    const roles = (await lane.left()).filter((role) => !before.has(role));
    if (leases.length === 0 && roles.length === 0) return [];
    if (performance.now() > until) {
      const what = [...leases.map(({ metadata }) => `lease ${metadata.name}`), ...roles];
      return [wrong(`${NOTHING_LEFT_MS} ms after ${name} is gone there are still ${what.join(', ')}`)];
    }
    await sleep(200, undefined, { signal });
  }
}

/** A Lease that has run out holds nothing any more; the next run on that Redis takes it and deletes it. */
function isHeld({ spec }: Lease): boolean {
  const { holderIdentity, leaseDurationSeconds = 0, renewTime = '' } = spec ?? {};
  return Boolean(holderIdentity) && Date.parse(renewTime) + leaseDurationSeconds * 1000 > Date.now();
}

function endOf(record: TortureRecord, lane: number): string {
  const verdict = record.of('version', lane).findLast(({ object }) => object.status?.run?.phase);
  return verdict?.object.status?.run?.phase ?? 'deleted';
}
