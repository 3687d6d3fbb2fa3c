/**
 * What is done to a run, and when: made from a seed alone, so that the same seed does the same again. Nothing
 * else in the torture decides anything by chance.
 */
import { type Random, randomBy } from './random.ts';
import { NODES } from './settings.ts';
import {
  type Action,
  API_FAULTS,
  BOUNDARIES,
  type Boundary,
  LINK_FAULTS,
  type Replica,
  type Step,
  type When,
} from './step.ts';

/** Faults of a store outage: of Redis itself, and of a fault proxy. */
const FAULTS = ['Stall', 'Disconnect', 'DataLoss'] as const;
const PROXIED_FAULTS = ['Refuse', 'StalePrimary', 'Blackhole', 'Latency'] as const;
/** What those are in a spec that differ from their names. */
export const VIA_PROXY = { Blackhole: { type: 'Stall', via: 'Proxy' } } as const;
export type OutageFault = (typeof FAULTS)[number] | (typeof PROXIED_FAULTS)[number] | 'Failover';

/** A target with its own run; runs of different lanes share operator and API server. */
export interface LanePlan {
  /**
   * http: a limiter behind HTTP, whose object has a store outage and nothing else. proxied: the same, with a fault
   * proxy before its Redis. failover: the same, with a Redis under Sentinels.
   */
  readonly mode: 'approximate' | 'strict' | 'http' | 'proxied' | 'failover';
  /** Of a store outage. */
  readonly fault?: OutageFault;
  readonly countdown: string;
  readonly pauseMs: number;
  readonly requestsPerSecond: number;
  readonly multiplier: number;
}

export interface Plan {
  readonly seed: number;
  readonly lanes: readonly LanePlan[];
  /** In the order in which they were made, which is not that of time. */
  readonly steps: readonly Step[];
}

export interface PlanOptions {
  readonly lanes: number;
  /** Whether the API server is this torture's alone, so that it may be killed. */
  readonly ownApiServer: boolean;
  /** Whether there are two more lanes, with limiters behind HTTP: without and with a fault proxy. */
  readonly http?: boolean;
  /** Whether there is one more lane, which fails over. */
  readonly failover?: boolean;
}

/** The last steps come this long after the object was applied: a run without a disturbance takes some 10 s. */
const STORY_MS = 9_000;

/** Lanes behind HTTP are drawn from a separate stream, so that they change no other. It is beyond the seeds of a user. */
const HTTP_STREAM = 0x5eee_0000;
const PROXIED_STREAM = 0x5eef_0000;
const FAILOVER_STREAM = 0x5ef0_0000;
/** As are steps against threads of runs. */
const CELL_STREAM = 0x5ef1_0000;
/** `storeOutage.fault.duration`: long enough for the requests that a proof needs. */
const OUTAGE_MS = 3000;
/** As that of a failover: the shortest that a spec may have is 15 s, and a failover takes some 12 s. */
const FAILOVER_MS = 18_000;
/** As `STORY_MS`, with a failover. */
const FAILOVER_STORY_MS = 20_000;
/** The plan of a seed. Pure. */
export function planOf(seed: number, options: PlanOptions): Plan {
  return withCells(withFailover(withHttp(faultPlanOf(seed, options), options), options));
}

/** The same plan, with up to two threads of runs of the leader that end or stand still. */
function withCells(plan: Plan): Plan {
  const random = randomBy(plan.seed ^ CELL_STREAM);
  const steps = Array.from({ length: random.between(0, 2) }, () => {
    const what = random.pick(['killCell', 'freezeCell'] as const);
    const lane = random.between(0, plan.lanes.length - 1);
    return stepOf(random, lane, { to: 'operator', which: 'leader', what }, whenOf(random));
  });
  return { ...plan, steps: [...plan.steps, ...steps] };
}

/** The same plan with the lanes behind HTTP, if there are any. */
function withHttp(plan: Plan, { http = false, ownApiServer }: PlanOptions): Plan {
  if (!http) return plan;
  const random = randomBy(plan.seed ^ HTTP_STREAM);
  const lane: LanePlan = { ...lanePlan(random, 0), mode: 'http', pauseMs: OUTAGE_MS };
  const number = plan.lanes.length;
  const steps = faultSteps(random, number, random.pick([1, 3, 6]), ownApiServer);
  // Drawn last: a seed disturbs the run as it did before there were other faults.
  const direct = { ...lane, fault: random.pick(FAULTS) };
  const [proxied, more] = proxiedLane(plan.seed, number + 1, ownApiServer);
  return { ...plan, lanes: [...plan.lanes, direct, proxied], steps: [...plan.steps, ...steps, ...more] };
}

function proxiedLane(seed: number, number: number, ownApiServer: boolean): readonly [LanePlan, Step[]] {
  const random = randomBy(seed ^ PROXIED_STREAM);
  const fault = random.pick(PROXIED_FAULTS);
  const lane: LanePlan = { ...lanePlan(random, 0), mode: 'proxied', pauseMs: OUTAGE_MS, fault };
  const steps = faultSteps(random, number, random.pick([1, 3, 6]), ownApiServer);
  if (random.chance(0.7)) return [lane, steps];
  const when = { afterMs: random.between(0, STORY_MS) };
  return [lane, [...steps, stepOf(random, number, { to: 'fault-proxy', what: 'kill' }, when)]];
}

/** The same plan with the lane that fails over, if there is one. */
function withFailover(plan: Plan, { failover = false, ownApiServer }: PlanOptions): Plan {
  if (!failover) return plan;
  const random = randomBy(plan.seed ^ FAILOVER_STREAM);
  const lane: LanePlan = {
    ...lanePlan(random, 0),
    mode: 'failover',
    pauseMs: FAILOVER_MS,
    fault: 'Failover',
  };
  const most = random.pick([1, 3, 6]);
  const steps = faultSteps(random, plan.lanes.length, most, ownApiServer, FAILOVER_STORY_MS).map(
    // A server that starts again does not keep the role that Sentinels gave it: these have no file for that.
    (step): Step =>
      step.action.to === 'redis' ? { ...step, action: { to: 'redis', what: 'freeze' } } : step,
  );
  // Steps at any time rarely disturb the one command that cannot be taken back.
  const near = random.chance(0.6) ? [nearFailover(random, plan.lanes.length)] : [];
  return { ...plan, lanes: [...plan.lanes, lane], steps: [...plan.steps, ...steps, ...near] };
}

function nearFailover(random: Random, lane: number): Step {
  const process = random.pick(['kill', 'freeze', 'restart'] as const);
  const object = random.pick(['abort', 'delete'] as const);
  const action = random.pick<Action>([
    { to: 'operator', which: 'leader', what: process },
    { to: 'object', what: object },
  ]);
  const when = { boundary: random.pick(['announce', 'pause', 'proof'] as const), passed: random.chance(0.5) };
  return stepOf(random, lane, action, when);
}

function faultPlanOf(seed: number, { lanes, ownApiServer }: PlanOptions): Plan {
  const random = randomBy(seed);
  const lanePlans = Array.from({ length: lanes }, (_, lane) => lanePlan(random, lane));
  // Some runs are left nearly alone: only there whole proofs and figures come about.
  const perLane = random.pick([1, 3, 6, 10]);
  const steps = lanePlans.flatMap((_, lane) => faultSteps(random, lane, perLane, ownApiServer));
  return { seed, lanes: lanePlans, steps };
}

/** One step at least, and `most` at most. */
function faultSteps(
  random: Random,
  lane: number,
  most: number,
  ownApiServer: boolean,
  storyMs = STORY_MS,
): Step[] {
  return Array.from({ length: random.between(1, most) }, () => {
    const action = actionOf(random, ownApiServer);
    return stepOf(random, lane, action, whenOf(random, storyMs));
  });
}

function whenOf(random: Random, storyMs = STORY_MS): When {
  const boundary: When = { boundary: random.pick(boundaries), passed: random.chance(0.5) };
  return random.chance(0.5) ? boundary : { afterMs: random.between(0, storyMs) };
}

function lanePlan(random: Random, lane: number): LanePlan {
  return {
    mode: lane % 3 === 1 ? 'strict' : 'approximate',
    countdown: random.pick(['0s', '1s', '1s']),
    pauseMs: random.pick([1500, 2000, 2500]),
    requestsPerSecond: random.pick([60, 90]),
    // As many as there are pods at least: less could not prove that a strict one shows no ghosts.
    multiplier: random.pick([3, 4]),
  };
}

function stepOf(random: Random, lane: number, action: Action, when: When): Step {
  const [min, max] = lengthOf(action);
  return { lane, when, action, forMs: random.between(min, max) };
}

const boundaries = Object.keys(BOUNDARIES) as Boundary[];

function actionOf(random: Random, ownApiServer: boolean): Action {
  const which = random.pick<Replica>(['leader', 'leader', 'leader', 'standby', 'both']);
  const node = random.between(0, NODES - 1);
  const process = random.pick(['kill', 'freeze'] as const);
  const link = random.pick(LINK_FAULTS);
  const what = random.between(0, 99);
  if (what < 26) return { to: 'operator', which, what: random.pick(['kill', 'kill', 'freeze', 'restart']) };
  if (what < 48) return { to: 'api', which, what: random.pick(API_FAULTS) };
  if (what < 63) return { to: 'redis-link', what: link };
  if (what < 77) return { to: 'node-link', node, what: link };
  if (what < 84) return { to: 'node', node, what: process };
  if (what < 91) return { to: 'redis', what: process };
  if (what < 95) return { to: 'object', what: random.pick(['abort', 'delete']) };
  if (ownApiServer) return { to: 'api-server', what: 'kill' };
  return { to: 'operator', which, what: 'freeze' };
}

/** From the shortest to the longest; milliseconds. */
function lengthOf(action: Action): readonly [number, number] {
  switch (action.to) {
    case 'operator':
      // Beyond the leader lease as well, which the torture sets to 4 s.
      if (action.what === 'killCell') return [0, 0];
      return action.what.startsWith('freeze') ? [200, 7000] : [0, 2000];
    case 'api':
      return [200, 4000];
    case 'api-server':
      return [0, 3000];
    case 'redis':
      return [100, 2500];
    case 'fault-proxy':
    case 'node':
    case 'node-link':
    case 'redis-link':
      return [100, 2500];
    case 'object':
      return [0, 0];
    default:
      return action satisfies never;
  }
}
