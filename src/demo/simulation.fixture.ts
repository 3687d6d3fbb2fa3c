/**
 * A subject that exists only in memory, and a shell that does what `decide`
 * asks and lets time pass. It keeps to the rules of the real shell: a status is
 * stored before any effect is performed, and what a process saw dies with it.
 */
import type { ChaosDemoSpec, ChaosDemoStatus, FaultProof } from '../api/index.ts';
import { counterDriftOf, ghostAllowingOf, parseDuration, specSchema } from '../api/index.ts';
import type { Chapter, Stage } from './chapter.ts';
import type { Demo } from './context.ts';
import type { Decision } from './decide.ts';
import { decide } from './decide.ts';
import type { Effect } from './effects.ts';
import type { Observed } from './observed.ts';
import { announcement, nothingObserved } from './observed.ts';
import type { Scenario, SubjectDefinition } from './subject.ts';
import { isTransition } from './transition.ts';

const STORY: [Stage, string, 'CounterDrift' | 'GhostAllowing' | undefined, boolean][] = [
  ['welcome', 'Welcome', undefined, false],
  ['health', 'Cluster Health', undefined, false],
  ['setup', 'Setup', undefined, true],
  ['chaos', 'Counter Drift Chaos', 'CounterDrift', false],
  ['detection', 'Counter Drift Detection', 'CounterDrift', false],
  ['diagnosis', 'Counter Drift Diagnosis', 'CounterDrift', false],
  ['recovery', 'Recovery', 'CounterDrift', true],
  ['chaos', 'Ghost Allowing Chaos', 'GhostAllowing', false],
  ['detection', 'Ghost Allowing Detection', 'GhostAllowing', false],
  ['diagnosis', 'Ghost Allowing Diagnosis', 'GhostAllowing', false],
  ['complete', 'Demo Complete', undefined, true],
];

export const simulatedSubject: SubjectDefinition = {
  chapters(spec): Chapter[] {
    return STORY.map(([stage, title, type, auto], index) => {
      const scenario = spec.dryRun ? undefined : spec.scenarios.find((candidate) => candidate.type === type);
      return {
        number: index + 1,
        title,
        stage,
        auto,
        skipped: (type !== undefined && !scenario) || (spec.dryRun && stage === 'setup'),
        ...(scenario ? { scenario: scenario.name } : {}),
      };
    });
  },
  scenarios(spec): Scenario[] {
    const timeout = parseDuration(spec.subject.rateLimiter?.health.timeout ?? '5s');
    return spec.scenarios.map((scenario) => {
      const drift = scenario.type === 'CounterDrift';
      const faultMs = drift ? parseDuration(counterDriftOf(scenario).pause) : timeout;
      const settleMs = parseDuration(
        drift ? counterDriftOf(scenario).settle : ghostAllowingOf(scenario).settle,
      );
      return {
        name: scenario.name,
        type: scenario.type,
        expect: scenario.expect,
        countdownMs: parseDuration(scenario.countdown),
        faultMs,
        settleMs,
        windowNeedMs: faultMs + settleMs + timeout,
        load: drift,
        onOrphan: drift ? 'Inquire' : 'Retry',
        faultTitle: drift ? 'Writes pause' : 'A burst is sent',
        invariant: drift ? 'counters agree' : 'no more admitted than the limit',
      };
    });
  },
  keyPrefix: () => 'demo-key',
  healthIntervalMs: (spec) => parseDuration(spec.subject.rateLimiter?.health.pollInterval ?? '2s'),
  releasable: (type) => type === 'CounterDrift',
  welcome: () => 'Welcome',
  summarize: (_, observed, bound) => `${observed}/${bound}`,
};

/** A spec with defaults filled in, as the API server would hand it out. */
export function simulatedSpec(changes: Record<string, unknown> = {}): ChaosDemoSpec {
  return specSchema.parse({
    subject: {
      rateLimiter: { selector: { matchLabels: { app: 'x' } }, redis: { service: { name: 'redis' } } },
    },
    ...changes,
  });
}

/** How the simulated subject behaves. */
export interface Behaviour {
  drifts: boolean;
  ghosts: boolean;
  pauseBites: boolean;
  /** Milliseconds an effect takes. */
  effectMs: number;
  windowMs: number;
  /** Whether the counters can be read after a fault. */
  readable: boolean;
  shortfalls: string[];
  /** Whether Redis lets itself be released before its time. */
  releases: boolean;
}

const USUAL: Behaviour = {
  drifts: true,
  ghosts: true,
  pauseBites: true,
  effectMs: 40,
  windowMs: 60_000,
  readable: true,
  shortfalls: [],
  releases: true,
};

export const START = Date.parse('2026-01-01T00:00:00Z');

export class Simulation {
  now = START;
  status: ChaosDemoStatus = {};
  generation = 1;
  deleting = false;
  annotations: Demo['annotations'] = {};
  healthy = true;
  nodes = ['a'];
  /** Of the pods now, as a look at them would show. */
  podTemplate: string | undefined;
  spec: ChaosDemoSpec;
  observed: Observed;
  last: Decision | undefined;
  /** Status writes, as `kubectl get -w` would show them. */
  readonly writes: ChaosDemoStatus[] = [];
  readonly injected: { id: string; at: number; healthy: boolean; scenario: string }[] = [];
  readonly performed: Effect[] = [];
  /** How much longer Redis was paused when each run ended; milliseconds. */
  readonly pausedBeyondEnd: number[] = [];
  /** When writes are taken again, by the simulated Redis itself. */
  pausedUntil = 0;
  private pauses = 0;
  /** A session that has restored injects nothing any more. */
  private released = false;
  private readonly started = new Set<string>();
  private readonly underway: { at: number; land: () => void }[] = [];
  private readonly behaviour: Behaviour;

  constructor(spec: ChaosDemoSpec = simulatedSpec(), behaviour: Partial<Behaviour> = {}) {
    this.spec = spec;
    this.behaviour = { ...USUAL, ...behaviour };
    this.observed = this.newSession();
  }

  private newSession(): Observed {
    return {
      ...nothingObserved(this.now),
      admission: { state: 'granted' },
      target: {
        pods: [{ name: 'a', uid: '1', imageID: 'i' }],
        store: 'redis-0',
        ...(this.podTemplate === undefined ? {} : { podTemplate: this.podTemplate }),
      },
      ...(this.podTemplate === undefined ? {} : { podTemplate: this.podTemplate }),
      announced: new Set<string>(),
      begun: new Set<string>(),
    };
  }

  /** The operator dies; what it had under way is lost, what it had stored stays. */
  crash(downMs: number): void {
    this.now += downMs;
    this.closeSession();
  }

  private closeSession(): void {
    this.underway.length = 0;
    this.started.clear();
    this.released = false;
    this.observed = this.newSession();
  }

  /** Decides once at the present moment, stores, and performs what is new. */
  step(): Decision {
    this.look();
    const demo: Demo = {
      uid: 'abcdef1234567890',
      generation: this.generation,
      deleting: this.deleting,
      spec: this.spec,
      status: this.status,
      annotations: this.annotations,
    };
    const decision = decide(demo, this.observed, this.now, simulatedSubject);
    if (isTransition(this.status, decision.status)) {
      for (const { fault } of decision.status.scenarios ?? []) {
        const known = this.status.scenarios?.some((entry) => entry.fault?.id === fault?.id);
        if (fault && !known) (this.observed.announced as Set<string>).add(announcement(fault));
      }
      const ends =
        decision.status.run?.completedAt !== undefined && this.status.run?.completedAt === undefined;
      if (ends) this.pausedBeyondEnd.push(Math.max(0, this.pausedUntil - this.now));
      this.status = structuredClone(decision.status);
      this.writes.push(this.status);
    }
    for (const effect of decision.effects) this.perform(effect);
    if (!decision.session && this.last?.session) this.closeSession();
    this.last = decision;
    return decision;
  }

  /** Lets time pass until `done` holds, or for `maxMs`; tells whether it held. */
  runUntil(done: (simulation: Simulation) => boolean, maxMs = 3_600_000): boolean {
    const end = this.now + maxMs;
    while (this.now <= end) {
      const before = JSON.stringify(this.status);
      const decision = this.step();
      if (done(this)) return true;
      if (JSON.stringify(this.status) !== before) continue;
      // Only a watched invariant can change by itself; all else waits for its time or for an effect to land.
      const sampled = decision.activities.some(({ kind }) => kind === 'Watch') ? this.now + 500 : end + 1;
      const next = [decision.wakeAt ?? end + 1, sampled, ...this.underway.map((item) => item.at)];
      this.now = Math.max(this.now + 1, Math.min(...next));
      for (const item of this.underway.filter(({ at }) => at <= this.now)) {
        item.land();
        this.underway.splice(this.underway.indexOf(item), 1);
      }
    }
    return false;
  }

  finished(): boolean {
    return this.status.run?.completedAt !== undefined;
  }

  private look(): void {
    this.observed.health = {
      nodes: this.nodes.map((id) => ({ id, address: '10.0.0.1', state: this.healthy ? 'ready' : 'stale' })),
      redisConnected: this.healthy,
      hasIssues: !this.healthy,
      issues: this.healthy ? [] : ['a is stale'],
      lastUpdated: this.now,
      validUntil: this.now + 8000,
    };
    for (const activity of this.last?.activities ?? []) {
      if (activity.kind === 'Watch') this.watch(activity.fault, activity.scenario);
    }
  }

  private watch(fault: string, scenarioName: string): void {
    const drift = this.spec.scenarios.find(({ name }) => name === scenarioName)?.type === 'CounterDrift';
    const on = this.observed.faults[fault]?.startedAt !== undefined;
    const broken = on && (drift ? this.behaviour.drifts && this.behaviour.pauseBites : this.behaviour.ghosts);
    const before = this.observed.readings[fault];
    const bound = drift ? 5 : 10;
    this.observed.readings[fault] = {
      observed: broken ? bound * 2 : (before?.observed ?? 0),
      bound,
      ...(broken
        ? { brokenAt: before?.brokenAt ?? this.now, detectedAt: before?.detectedAt ?? this.now }
        : {}),
      ...(before?.detectedAt ? { brokenAt: before.brokenAt ?? 0, detectedAt: before.detectedAt } : {}),
      watchedUntil: this.now,
      shortfalls: this.behaviour.shortfalls,
      // Grows with every look, as real evidence does.
      evidence: [`watched until ${this.now}`],
    };
  }

  private perform(effect: Effect): void {
    if (this.started.has(effect.id)) return;
    this.started.add(effect.id);
    this.performed.push(effect);
    this.begin(effect);
  }

  private later(delay: number, land: () => void): void {
    this.underway.push({ at: this.now + delay, land });
  }

  private begin(effect: Effect): void {
    const { observed } = this;
    const { effectMs } = this.behaviour;
    switch (effect.kind) {
      case 'MeasureBaseline':
        return this.later(effectMs, () => {
          const ok = !this.released;
          observed.baseline = { ok, message: ok ? 'measured' : 'the run is being restored' };
        });
      case 'Prepare':
        return this.later(effectMs, () => {
          if (this.released) {
            observed.prepareFailures[effect.fault] = 'the run is being restored';
            return;
          }
          observed.prepared[effect.fault] = {
            key: effect.key,
            sequence: effect.sequence,
            windowEndsAt: this.now + this.behaviour.windowMs,
            marker: `redis/${this.pauses}`,
            message: 'ready',
          };
        });
      case 'Inject':
        return this.inject(effect);
      case 'Inquire':
        return this.later(effectMs, () => {
          observed.orphans[effect.fault] =
            effect.marker === `redis/${this.pauses}` ? 'NotInjected' : 'Injected';
        });
      case 'Diagnose':
        return this.later(effectMs, () => {
          observed.diagnoses[effect.fault] = { message: 'no idea' };
        });
      case 'Recover':
        return this.later(Math.max(effectMs, this.pausedUntil - this.now), () => {
          const { now } = this;
          observed.recoveries[effect.fault] = {
            writeAcceptedAt: now,
            ...(this.behaviour.readable && { convergedAt: now, lostCounts: 0 }),
            message: 'ok',
          };
        });
      case 'Restore':
        if (effect.release) this.released = true;
        if (effect.release && this.behaviour.releases) this.pausedUntil = this.now;
        // As the real one, it waits for a write for so long.
        return this.later(Math.max(effectMs, Math.min(5000, this.pausedUntil - this.now)), () => {
          const ok = this.pausedUntil <= this.now;
          observed.restored[effect.id] = { ok, writesTaken: ok, message: ok ? 'Restored' : 'not restored' };
        });
      default:
        return effect satisfies never;
    }
  }

  private inject(effect: Extract<Effect, { kind: 'Inject' }>): void {
    const { observed } = this;
    const { effectMs, pauseBites } = this.behaviour;
    if (this.released) {
      observed.faults[effect.id] = { missed: true, message: 'the run is being restored', evidence: [] };
      return;
    }
    const drift = this.spec.scenarios.find(({ name }) => name === effect.scenario)?.type === 'CounterDrift';
    this.injected.push({ id: effect.id, at: this.now, healthy: this.healthy, scenario: effect.scenario });
    (observed.begun as Set<string>).add(effect.id);
    const startedAt = this.now;
    if (!drift) {
      return this.later(effectMs, () => {
        const endedAt = this.now;
        observed.faults[effect.id] = {
          startedAt,
          endedAt,
          proof: 'Confirmed',
          message: 'sent',
          evidence: [],
        };
      });
    }
    this.pauses += 1;
    this.pausedUntil = effect.until;
    return this.later(effectMs, () => {
      const proof: FaultProof = pauseBites ? 'Confirmed' : 'Mismatch';
      const report = { startedAt, proof, message: `the pause is ${proof}`, evidence: [] };
      observed.faults[effect.id] = report;
      if (!pauseBites) observed.faults[effect.id] = { ...report, endedAt: this.now };
      else {
        this.later(effect.until - this.now, () => {
          observed.faults[effect.id] = { ...report, endedAt: this.now };
        });
      }
    });
  }
}
