/**
 * A world in memory with the real shell in it: an API server, a service to put to
 * the test, and one operator process after another. Time passes only when it is
 * advanced, so a run of minutes takes milliseconds and is the same each time.
 */

import { ELECTION_DEFAULTS, type EventRecord } from '@chaosdemo/kube-runtime';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { ChaosDemo, ChaosDemoSpec, ChaosDemoStatus } from '../../src/api/index.ts';
import { ANNOTATIONS, FINALIZER } from '../../src/api/index.ts';
import type { Activity, SubjectEffect } from '../../src/engine/effects.ts';
import { isRunActive } from '../../src/engine/fault-times.ts';
import { MetricTable } from '../../src/operator/metrics/metric-table.ts';
import { createMetrics } from '../../src/operator/metrics/metrics.ts';
import { createRunMetrics } from '../../src/operator/metrics/run-metrics.ts';
import { Term } from '../../src/operator/shell/term.ts';
import { IDLE } from '../fixtures/operator/metrics/idle.ts';
import { FakeApiServer, type FakeConnection } from './fake-api.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeEvidence } from './fake-evidence.ts';
import { ProcessClock } from './process-clock.ts';
import { SimulatedConnector } from './simulated-connector.ts';
import { simulatedDefinition, simulatedDemo, simulatedSpec } from './simulated-subject.ts';
import { type Behaviour, type Injection, SimulatedTarget } from './simulated-target.ts';

/** A process that does not renew stops leading after this time, and another leads after that, in milliseconds. */
const { leaseDurationMs: LEASE_MS, renewDeadlineMs: RENEW_DEADLINE_MS } = ELECTION_DEFAULTS;

const logger = pino({ level: 'silent' });
const metrics = createMetrics(IDLE, [simulatedDefinition.api]);

/** One operator process, leading. */
interface Process {
  readonly clock: ProcessClock;
  readonly connection: FakeConnection;
  readonly term: Term;
  leads: boolean;
}

export class Simulation {
  readonly clock = new FakeClock();
  readonly server = new FakeApiServer(this.clock);
  readonly evidence = new FakeEvidence(this.clock);
  readonly target: SimulatedTarget;
  readonly events: EventRecord[] = [];
  /** What all processes have counted of runs. */
  readonly counted = new Registry();
  /** How much longer the service was held up when each run ended; milliseconds. */
  readonly stalledBeyondEnd: number[] = [];
  killSwitch = false;
  maxRuns = 50;
  maxRunsPerNamespace = 5;
  /** How the services of other namespaces behave. */
  neighbourly: Partial<Behaviour> = {};
  /** Objects of other namespaces whose service cannot be looked at. */
  readonly failingAdmissions = new Set<string>();
  readonly #neighbours = new Map<string, SimulatedTarget>();
  readonly #runChanged = createRunMetrics(new MetricTable(this.counted), [simulatedDefinition.api]);
  #process: Process | undefined;

  constructor(spec: ChaosDemoSpec = simulatedSpec(), behaviour: Partial<Behaviour> = {}) {
    this.target = new SimulatedTarget(this.clock, behaviour);
    this.create('demo', spec);
    this.server.watch(() => this.#noteEnds());
    this.startOperator();
  }

  // What people do.

  /** @param namespace objects of another than the default have a service each */
  create(name: string, spec: ChaosDemoSpec, namespace = 'ns'): void {
    const uid = `uid-of-${name}-${this.server.keys().length}`;
    const creationTimestamp = new Date(this.clock.now()).toISOString();
    this.server.create(simulatedDemo(spec, { name, namespace, uid, creationTimestamp }));
  }

  get spec(): ChaosDemoSpec {
    return this.object.spec;
  }

  /** Changes the spec as an apply does. */
  set spec(spec: ChaosDemoSpec) {
    this.server.edit(KEY, (object) => {
      object.spec = spec;
    });
  }

  /** Sets exactly these of the annotations that steer runs. */
  set annotations(values: Partial<Record<keyof typeof ANNOTATIONS, string>>) {
    this.server.edit(KEY, ({ metadata }) => {
      metadata.annotations = Object.fromEntries(
        Object.entries(values).map(([name, value]) => [ANNOTATIONS[name as keyof typeof ANNOTATIONS], value]),
      );
    });
  }

  annotate(name: keyof typeof ANNOTATIONS, value: string): void {
    this.server.edit(KEY, ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, [ANNOTATIONS[name]]: value };
    });
  }

  /** Overwrites the status, as only a user with too many rights can. */
  forge(change: (status: ChaosDemoStatus) => ChaosDemoStatus): void {
    this.server.edit(KEY, (object) => {
      object.status = change(object.status ?? {});
    });
  }

  delete(): void {
    this.server.delete(KEY);
  }

  turnKillSwitch(on: boolean): void {
    this.killSwitch = on;
    this.#enqueueAll();
  }

  // What a test can observe.

  get now(): number {
    return this.clock.now();
  }

  get object(): ChaosDemo {
    const object = this.server.get(KEY);
    if (!object) throw new Error('the object is gone');
    return object;
  }

  get exists(): boolean {
    return this.server.get(KEY) !== undefined;
  }

  get status(): ChaosDemoStatus {
    return this.server.get(KEY)?.status ?? {};
  }

  /** Whether the object carries the finalizer. */
  get held(): boolean {
    return this.server.get(KEY)?.metadata.finalizers?.includes(FINALIZER) ?? false;
  }

  /** Status writes, as `kubectl get -w` would show them. */
  get writes(): ChaosDemoStatus[] {
    return this.server.stored.filter(({ key }) => key === KEY).map(({ status }) => status);
  }

  get injected(): readonly Injection[] {
    return this.target.injected;
  }

  get performed(): SubjectEffect[] {
    return this.target.performed;
  }

  get activities(): Activity[] {
    return this.target.activities;
  }

  /** Objects of which the process that leads keeps anything, and runs whose evidence it keeps. */
  get entryCount(): number {
    return this.#process?.term.reconciler.kept ?? 0;
  }

  get activeRuns(): number {
    return this.#process?.term.reconciler.activeRuns ?? 0;
  }

  /** Whether the process that leads may follow the wall clock. */
  get isQuiet(): boolean {
    return this.#process?.term.reconciler.isQuiet ?? true;
  }

  /** Runs that are on by their statuses, by namespace. */
  get runsOn(): Map<string, number> {
    const on = this.server.keys().filter((key) => isRunActive(this.server.get(key)?.status));
    return new Map(
      Object.entries(Object.groupBy(on, namespaceOf)).map(([name, keys]) => [name, keys?.length ?? 0]),
    );
  }

  finished(): boolean {
    return this.status.run?.completedAt !== undefined;
  }

  // What time brings.

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
  }

  /** Lets time pass until `done` holds, or for `maxMs`. Returns whether it held. */
  async runUntil(done: (simulation: Simulation) => boolean, maxMs = 3_600_000): Promise<boolean> {
    const end = this.clock.monotonic() + maxMs;
    await this.clock.advance(0);
    while (!done(this)) {
      const next = this.clock.nextAt;
      if (next === undefined || next > end) {
        await this.clock.advance(Math.max(0, end - this.clock.monotonic()));
        return done(this);
      }
      await this.clock.advanceToNext();
    }
    return true;
  }

  /** Enqueues every object again, and processes them without time passing. */
  async checkPreconditions(): Promise<void> {
    this.#enqueueAll();
    await this.clock.advance(0);
  }

  /** A process begins to lead; there is none, or it does not lead any more. */
  startOperator(): void {
    const clock = new ProcessClock(this.clock);
    const connection = this.server.connect(clock);
    const process: Process = {
      clock,
      connection,
      leads: true,
      term: new Term({
        api: connection,
        evidence: this.evidence.connect(clock),
        clock,
        logger,
        recorders: {
          events: { record: (event) => this.events.push(event) },
          metrics: { ...metrics, runChanged: this.#runChanged },
        },
        connect: () => [
          {
            definition: simulatedDefinition,
            connector: new SimulatedConnector((owner) => this.#targetOf(owner), clock),
          },
        ],
        processLeads: () => process.leads,
        killSwitchIsOn: () => this.killSwitch,
        concurrency: 2,
        maxRuns: this.maxRuns,
        maxRunsPerNamespace: this.maxRunsPerNamespace,
        keys: () => connection.keys(),
      }),
    };
    this.#process = process;
    connection.subscribe((key) => process.term.enqueue(key));
  }

  /**
   * The operator dies; what it had under way is lost, what it had stored or sent stays. Another leads after `downMs`.
   * @param whileDown is called when there is no operator
   */
  async crash(downMs: number, whileDown: () => void = () => undefined): Promise<void> {
    this.#process?.clock.kill();
    this.#process?.connection.close();
    this.#process = undefined;
    whileDown();
    await this.pass(downMs);
    this.startOperator();
  }

  /** The thread that has the connections to the service ends; the operator goes on. */
  endThread(): void {
    for (const driver of this.target.drivers) driver.die();
  }

  /** The operator stops in order, as in an upgrade, and another begins. */
  async restart(): Promise<void> {
    let stopped = false;
    const stopping = this.stopOperator().then(() => {
      stopped = true;
    });
    while (!stopped) await this.pass(100);
    await stopping;
    this.startOperator();
  }

  /** Stops the operator in order; time has to pass until the promise resolves. */
  async stopOperator(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    await process?.term.end({ release: true });
    process?.connection.close();
  }

  /** Another process takes the lead at once; the old one hears of it `hearsAfterMs` later, and does not lead in between. */
  async lose(hearsAfterMs: number): Promise<void> {
    const old = this.#process;
    if (old) old.leads = false;
    this.startOperator();
    await this.pass(hearsAfterMs);
    if (old) this.#endTerm(old);
  }

  /** The operator is frozen for so long, and another leads from when its lease has run out. */
  async freeze(forMs: number): Promise<void> {
    const frozen = this.#process;
    if (!frozen) return;
    frozen.clock.freeze();
    await this.pass(Math.min(forMs, RENEW_DEADLINE_MS));
    if (forMs > RENEW_DEADLINE_MS) frozen.leads = false;
    await this.pass(Math.max(0, Math.min(forMs, LEASE_MS) - RENEW_DEADLINE_MS));
    if (forMs >= LEASE_MS) {
      this.startOperator();
      await this.pass(forMs - LEASE_MS);
    }
    frozen.clock.thaw();
    if (frozen.leads) return;
    // It acts before it learns that it lost the lead.
    await this.pass(50);
    this.#endTerm(frozen);
    if (forMs < LEASE_MS) this.startOperator();
  }

  #targetOf(owner: string): SimulatedTarget {
    if (owner.startsWith('ns/')) return this.target;
    if (this.failingAdmissions.has(owner)) throw new Error('no response from the API server');
    const known = this.#neighbours.get(owner);
    if (known) return known;
    const target = new SimulatedTarget(this.clock, this.neighbourly);
    this.#neighbours.set(owner, target);
    return target;
  }

  #endTerm({ connection, term }: Process): void {
    void term.end({ release: false }).then(() => connection.close());
  }

  #enqueueAll(): void {
    for (const key of this.server.keys()) this.#process?.term.enqueue(key);
  }

  #endedRuns = new Set<number>();

  #noteEnds(): void {
    const { run } = this.status;
    if (!run?.completedAt || this.#endedRuns.has(run.number)) return;
    this.#endedRuns.add(run.number);
    this.stalledBeyondEnd.push(Math.max(0, this.target.stalledUntil - this.clock.monotonic()));
  }
}

const namespaceOf = (key: string): string => key.slice(0, key.indexOf('/'));

const KEY = 'ns/demo';
