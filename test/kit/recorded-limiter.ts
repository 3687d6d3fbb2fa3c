/**
 * A rate limiter whose runs replay recorded histories, ten times as fast: nothing is sent to its pods or its Redis. What
 * the operator reads and writes at its API server is as in any run.
 */
import { untilAborted } from '@chaosdemo/redis-faults/waiting';
import type { Activity, SubjectEffect } from '../../src/engine/effects.ts';
import type { Finding } from '../../src/engine/findings.ts';
import type { FaultReport, InvariantReading } from '../../src/engine/observed.ts';
import type {
  AdmissionRequest,
  Admitted,
  Emit,
  Permit,
  RecordedHistory,
  Subject,
  SubjectConnector,
  SubjectDriver,
  SubjectPorts,
} from '../../src/engine/subject.ts';
import { discover, lookAtPods } from '../../src/subjects/admission/discovery.ts';
import type { Cluster, ClusterLease } from '../../src/subjects/cluster.ts';
import type { HistoryEvent } from '../../src/subjects/history/events.ts';
import { History } from '../../src/subjects/history/history.ts';
import { LinesDigest, readLines } from '../../src/subjects/history/json-lines.ts';
import { limiterSetup } from '../../src/subjects/ratelimiter/history/setup.ts';
import { rateLimiterKind } from '../../src/subjects/ratelimiter/kind.ts';
import { PART } from '../../src/subjects/ratelimiter/spec/schema.ts';
import { Judge } from '../../src/subjects/scenarios/judge.ts';
import { scenarioTypeOf } from '../../src/subjects/scenarios/scenario-type.ts';
import { subjectOf } from '../../src/subjects/subject.ts';
import { NamespaceReader } from '../../src/subjects/targets/namespace-reader.ts';
import { checkPreconditions, watchPreconditions } from '../../src/subjects/targets/precondition-check.ts';
import { orRefusal, Refusal } from '../../src/subjects/targets/refusal.ts';

type Reported = Extract<HistoryEvent, { readonly step: 'Reported' }>;

/** How much faster than recorded. */
const PACE = 10;
/** Longer than any run of a test. */
const LONG_MS = 3_600_000;

/** A history, judged as recorded. */
export interface Recording {
  readonly lines: readonly string[];
  readonly history: History;
  readonly judge: Judge;
}

/** By the name of their ChaosDemo: a history for each of its scenarios. */
type Recordings = ReadonlyMap<string, readonly Recording[]>;

export function recordedLimiter(recordings: Recordings): Subject<Cluster> {
  return {
    definition: subjectOf(rateLimiterKind).definition,
    connect: (ports) => new RecordedConnector(recordings, ports),
  };
}

/** Finds the target and takes a Lease for each run, as for pods that are sent requests. */
class RecordedConnector implements SubjectConnector {
  readonly #recordings: Recordings;
  readonly #ports: SubjectPorts<Cluster>;
  readonly #leases = new Map<string, ClusterLease>();

  constructor(recordings: Recordings, ports: SubjectPorts<Cluster>) {
    this.#recordings = recordings;
    this.#ports = ports;
  }

  async admit({ name, namespace, spec }: AdmissionRequest, signal: AbortSignal): Promise<Admitted> {
    const { clock, cluster, logger } = this.#ports;
    const place = { cluster, namespace, part: PART, spec: rateLimiterKind.partOf(spec) };
    const target = await orRefusal(namespace, async () => await discover(place, signal));
    if (target instanceof Refusal) return { admission: target.admission };
    const lock =
      this.#leases.get(name) ??
      cluster.lease({ namespace, name: `replay-${name}`, holder: `${namespace}/${name}` });
    this.#leases.set(name, lock);
    if ((await lock.acquire(signal)).state === 'held') throw new Error('another run holds the Lease');
    const look = async (each: AbortSignal) =>
      await checkPreconditions(new NamespaceReader(cluster, namespace, each), async () =>
        lookAtPods(place, target.pods, each),
      );
    const driver = new RecordedDriver(
      this.#recordings.get(name) ?? [],
      target.pods.map((pod) => pod.name),
      async (emit, end) => await watchPreconditions(look, { clock, logger }, true, emit, end),
    );
    const pods = target.pods.map((pod) => ({ name: pod.name, uid: pod.uid, imageId: pod.imageId }));
    return { admission: { state: 'granted' }, opened: { target: { pods, store: 'redis-0' }, driver, lock } };
  }

  async findPodTemplate(): Promise<string | undefined> {
    return undefined;
  }

  async forget(): Promise<void> {}
}

/** One attempt of a fault. */
class Attempt {
  readonly recording: Recording;
  /** When the recorded fault was reported, and its end. */
  readonly reports: readonly Reported[];
  readonly untaken: string[];
  readonly ended = Promise.withResolvers<void>();
  plannedAt = 0;

  constructor(recording: Recording) {
    this.recording = recording;
    this.untaken = [...recording.lines];
    this.reports = recording.history.events.filter(
      (event): event is Reported => event.kind === 'fault' && event.step === 'Reported',
    );
  }

  /** A recorded time as one of this run: their differences are the same in each, whenever it was planned. */
  at(time: number): number {
    const { plannedAt = 0 } = this.recording.history.times;
    return this.plannedAt + Math.round((time - plannedAt) / PACE);
  }

  /** The last one shows the end of the fault. */
  report(index: number): FaultReport {
    const event = this.reports.at(index);
    if (!event) throw new Error('no fault was recorded');
    if (event === this.reports.at(-1)) this.ended.resolve();
    const { endedAt, evidence, message, proof, startedAt } = event;
    return {
      message,
      evidence,
      ...(proof && { proof }),
      ...(startedAt !== undefined && { startedAt: this.at(startedAt) }),
      ...(endedAt !== undefined && { endedAt: this.at(endedAt) }),
    };
  }

  /** All that was found of the invariant. */
  reading(): InvariantReading | undefined {
    const reading = this.recording.judge.reading();
    return (
      reading && {
        ...reading,
        ...(reading.brokenAt !== undefined && { brokenAt: this.at(reading.brokenAt) }),
        ...(reading.detectedAt !== undefined && { detectedAt: this.at(reading.detectedAt) }),
        watchedUntil: this.at(reading.watchedUntil),
        complete: true,
      }
    );
  }
}

class RecordedDriver implements SubjectDriver {
  readonly #recordings: readonly Recording[];
  readonly #pods: readonly string[];
  readonly #watchPreconditions: (emit: Emit, signal: AbortSignal) => Promise<void>;
  /** By the id of the fault. */
  readonly #attempts = new Map<string, Attempt>();

  constructor(
    recordings: readonly Recording[],
    pods: readonly string[],
    watch: (emit: Emit, signal: AbortSignal) => Promise<void>,
  ) {
    this.#recordings = recordings;
    this.#pods = pods;
    this.#watchPreconditions = watch;
  }

  async perform(effect: SubjectEffect, permit: Permit): Promise<Finding> {
    switch (effect.kind) {
      case 'MeasureBaseline':
        return { kind: 'Baseline', outcome: { ok: true, message: 'Measured before' } };
      case 'Prepare': {
        const { fault, scenario } = effect;
        const recording = this.#recordings.find(({ history }) => history.setup.scenario.name === scenario);
        if (!recording) return { kind: 'NotPrepared', fault, message: 'nothing was recorded' };
        this.#attempts.set(fault, new Attempt(recording));
        const { fixture } = recording.history.setup;
        const usableUntil = Date.now() + LONG_MS;
        return {
          kind: 'Prepared',
          fault,
          prepared: { fixture, usableUntil, message: 'Callers are set up' },
        };
      }
      case 'Inject': {
        const { id: fault, plannedAt } = effect;
        const missed = permit.refusal();
        if (missed !== undefined)
          return { kind: 'Fault', fault, report: { missed: true, message: missed, evidence: [] } };
        const attempt = this.#attempt(fault);
        attempt.plannedAt = plannedAt;
        return { kind: 'Fault', fault, report: attempt.report(0) };
      }
      case 'Inquire':
        return { kind: 'Orphan', fault: effect.fault, orphan: 'Unknown' };
      case 'Diagnose': {
        const { fault, profile } = effect;
        return { kind: 'Diagnosis', fault, profile, report: { message: 'Nothing explains a recording' } };
      }
      case 'Recover': {
        const attempt = this.#attempt(effect.fault);
        const { history, judge } = attempt.recording;
        const { at = 0, restedAt } = history.last('recovered') ?? {};
        const report = {
          workedAt: attempt.at(at),
          ...(restedAt !== undefined && { restedAt: attempt.at(restedAt) }),
          ...judge.recovered(),
          message: 'Redis accepts writes',
        };
        return { kind: 'Recovery', fault: effect.fault, report };
      }
      case 'Restore': {
        const histories = Object.fromEntries(
          [...this.#attempts].map(([fault, { recording }]) => [fault, digestOf(recording.lines)]),
        );
        const restored = { ok: true, faultOver: true, message: 'Restored', histories };
        return { kind: 'Restored', effect: effect.id, restored };
      }
      default:
        return effect satisfies never;
    }
  }

  async runActivity(activity: Activity, emit: Emit, signal: AbortSignal): Promise<void> {
    switch (activity.kind) {
      case 'PollHealth': {
        const now = Date.now();
        const pods = this.#pods.map((name) => ({ name, state: 'ready' }));
        const dependencies = [{ name: 'redis-0', connected: true }];
        const rest = { hasIssues: false, issues: [], lastUpdated: now, validUntil: now + LONG_MS };
        emit({ kind: 'Health', snapshot: { pods, dependencies, ...rest } });
        break;
      }
      case 'RecheckPreconditions':
        return await this.#watchPreconditions(emit, signal);
      case 'AwaitEnd': {
        const { fault } = activity;
        emit({ kind: 'Fault', fault, report: this.#attempt(fault).report(-1) });
        break;
      }
      case 'Watch': {
        const { fault } = activity;
        const attempt = this.#attempt(fault);
        await Promise.race([attempt.ended.promise, untilAborted(signal)]);
        const reading = attempt.reading();
        if (reading && !signal.aborted) emit({ kind: 'Reading', fault, reading });
        break;
      }
      case 'Load':
        break;
      default:
        return activity satisfies never;
    }
    await untilAborted(signal);
  }

  history(fault: string): RecordedHistory | undefined {
    const attempt = this.#attempts.get(fault);
    return attempt && { take: () => attempt.untaken.splice(0), release: () => undefined };
  }

  async close(): Promise<void> {}

  #attempt(fault: string): Attempt {
    const attempt = this.#attempts.get(fault);
    if (!attempt) throw new Error(`${fault} was not prepared`);
    return attempt;
  }
}

function digestOf(lines: readonly string[]) {
  const digest = new LinesDigest();
  digest.add(lines);
  return digest.value;
}

/** The histories in these lines. */
export async function recordingsIn(lines: readonly string[]): Promise<Recording[]> {
  const found: (Omit<Recording, 'lines'> & { readonly lines: string[] })[] = [];
  await readLines(lines, {
    schemaOf: () => limiterSetup,
    setup(setup, text) {
      const { scenario } = setup;
      const type = scenarioTypeOf(rateLimiterKind, scenario.type);
      const { api } = type;
      const parameters = api.schema.parse(scenario[api.member] ?? {});
      const history = new History({ ...setup, scenario: { ...scenario, [api.member]: parameters } });
      found.push({ lines: [text], history, judge: new Judge(history, type) });
    },
    event(event, text) {
      const last = found.at(-1);
      last?.lines.push(text);
      last?.history.append(event);
    },
  });
  return found;
}
