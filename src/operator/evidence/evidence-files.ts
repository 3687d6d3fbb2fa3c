/**
 * The files of one run whose evidence is kept: made of its status and of what its session has seen, which is remembered
 * beyond the end of both. When they are written is not of this file.
 */
import type { ChaosDemo, ScenarioStatus } from '../../api/index.ts';
import { watching } from '../../demo/scenarios.ts';
import type { SubjectDefinition } from '../../demo/subject.ts';
import { runData, scenarioBytes, scenarioData } from '../../evidence/index.ts';
import type { Session } from '../shell/session.ts';
import { runPartOf, scenarioPartOf } from './run-evidence.ts';

/** Bytes of a scenario while it goes on: it is written again and again, by every run that is on. */
const LIVE_BYTES = 64 * 1024;

/** What is needed of a session. */
export type Witness = Pick<Session, 'evidence' | 'observed'>;

/** Data of a ConfigMap: contents by the name of the file. */
export type Files = Readonly<Record<string, string>>;

export class EvidenceFiles {
  readonly #definition: SubjectDefinition;
  #demo: ChaosDemo;
  #witness: Witness | undefined;
  /** Ids of faults of which nothing more will be seen, and all is written. */
  readonly #over = new Set<string>();
  /** Sentences on what is not there. */
  readonly #leftOut = new Set<string>();

  constructor(demo: ChaosDemo, definition: SubjectDefinition) {
    this.#demo = demo;
    this.#definition = definition;
  }

  /** The object, with the last status that tells of the run. */
  get demo(): ChaosDemo {
    return this.#demo;
  }

  /** Takes a status that was stored, and the session if there is one. */
  take(demo: ChaosDemo, witness: Witness | undefined): void {
    const { run } = demo.status ?? {};
    const { status } = this.#demo;
    // The status of a run that was cut off tells of nothing but that; its session is closed by now.
    if (run?.completedAt !== undefined && !demo.status?.chapters && status?.chapters) {
      this.#leftOut.add(CUT_OFF);
      this.#demo = { ...demo, status: { ...status, run } };
    } else this.#demo = demo;
    this.#witness = witness ?? this.#witness;
  }

  /** The session is closed any moment: nothing more is asked of it. */
  leaveWitness(): void {
    this.#witness = undefined;
  }

  /** All that is to be in the store by now, but what is written for good. `complete`: nothing more will come. */
  at(now: number, complete: boolean): Files {
    const demo = this.#demo;
    const witness = this.#witness;
    const { scenarios: entries = [] } = demo.status ?? {};
    const planned = new Map(
      this.#definition.scenarios(demo.spec).map((scenario) => [scenario.name, scenario]),
    );
    const files: Record<string, string> = {};
    for (const [index, entry] of entries.entries()) {
      const scenario = planned.get(entry.name);
      if (!scenario || !entry.fault || !witness) continue;
      if (!complete && this.#over.has(entry.fault.id)) continue;
      const evidence = witness.evidence(entry.fault.id);
      if (!witness.observed.prepared[entry.fault.id]) this.#leftOut.add(notSeen(entry.name));
      if (!evidence) continue;
      const part = scenarioPartOf(demo.status ?? {}, scenario, entry.fault, evidence, witness.observed);
      const isOver = complete || this.#isComplete(entry, now);
      const most = scenarioBytes(entries.length);
      const { data, thin } = scenarioData(index, part, isOver ? most : Math.min(most, LIVE_BYTES));
      Object.assign(files, data);
      const thinned = `${entry.name}: series are thinned out, or left out, to fit into ${most} bytes`;
      if (thin && isOver) this.#leftOut.add(thinned);
    }
    const run = runPartOf(demo, [...this.#leftOut], complete);
    return run ? { ...files, ...runData(run) } : files;
  }

  /** Ids of faults whose watch has come to its end. */
  overAt(now: number): string[] {
    return (this.#demo.status?.scenarios ?? []).flatMap((entry) =>
      entry.fault && this.#isComplete(entry, now) ? [entry.fault.id] : [],
    );
  }

  /** All of these faults is written: it is not made again. */
  writtenFor(faults: readonly string[]): void {
    for (const fault of faults) this.#over.add(fault);
  }

  /** Nothing is written any more. */
  lost(): void {
    this.#over.clear();
  }

  /** Whether a fault that this process has prepared is announced, on, or watched. */
  isWatched(now: number): boolean {
    const prepared = this.#witness?.observed.prepared ?? {};
    return (this.#demo.status?.scenarios ?? []).some(
      (entry) => entry.fault && prepared[entry.fault.id] && !this.#isComplete(entry, now),
    );
  }

  /** Whether the watch over a fault that this process began has come to its end, or will not come to it any more. */
  #isComplete({ fault, name, result }: ScenarioStatus, now: number): boolean {
    if (result === undefined || !fault || !this.#witness) return false;
    const reading = this.#witness.observed.readings[fault.id];
    if (reading?.complete === true) return true;
    const scenario = this.#definition.scenarios(this.#demo.spec).find((candidate) => candidate.name === name);
    return !scenario || !watching(fault, scenario, reading, now);
  }
}

const CUT_OFF = 'the run was cut off: its last chapter, and the end of what was seen, may be missing';

function notSeen(scenario: string): string {
  // Whether it had been watched to its end is not known here: what stands in the store is never read back.
  return `${scenario}: the operator was restarted after it had announced the fault, so what it saw may be missing or end early`;
}
