/** Remedies as they were announced, and what was sent to the nodes for each. */
import type { ChaosDemoStatus, DiagnosisStatus } from '../../../src/api/index.ts';
import { type CheckSeen, type LimitSeen, TortureRecord, type VersionSeen } from '../record.ts';
import type { Seen } from './seen.ts';

/** One that was announced. */
export interface RemedySeen {
  /** Id of its fault, and `/remedy`. */
  readonly id: string;
  readonly scenario: string;
  /** Of the scenario. */
  readonly key: string;
  /** From when it was announced on, at the earliest. */
  readonly at: number;
  /** When it is given up. */
  readonly until: number;
  /** The process that announced it; undefined if that was not seen. */
  readonly replica: string | undefined;
  /** `POST /limit` for its key since, by their times. */
  readonly defines: readonly LimitSeen[];
  /** `POST /check` for its key since. */
  readonly checks: readonly CheckSeen[];
}

/** The versions of the object. */
export function versionsOf({ lane, name, record }: Seen): VersionSeen[] {
  return record.of('version', lane).filter(({ object }) => object.metadata.name === name);
}

/** Every remedy of a lane that was ever announced. */
export function remediesOf(seen: Seen): RemedySeen[] {
  const { lane, record } = seen;
  const notes = record.of('announced', lane);
  const found = new Map<string, RemedySeen>();
  let before: VersionSeen | undefined;
  for (const version of versionsOf(seen)) {
    const { diagnoses = [], scenarios = [] } = version.object.status ?? {};
    for (const { remediation, scenario } of diagnoses) {
      const fault = scenarios.find(({ name }) => name === scenario)?.fault;
      const id = `${fault?.id}/remedy`;
      if (remediation?.until === undefined || found.has(id)) continue;
      const key = fault?.fixture ?? '';
      const note = notes.find((one) => one.id === id);
      // While the observer saw nothing it may have been announced at any time.
      const seenAt = version.afterGap ? (before?.at ?? 0) : version.at;
      const at = Math.min(seenAt, note?.at ?? Infinity);
      found.set(id, {
        id,
        scenario,
        key,
        at,
        until: Date.parse(remediation.until),
        replica: note && note.at <= version.at ? note.replica : undefined,
        defines: record.of('limit', lane).filter((one) => isSince(one, key, at) && one.what === 'define'),
        checks: record.of('check', lane).filter((one) => isSince(one, key, at)),
      });
    }
    before = version;
  }
  return [...found.values()];
}

function isSince(one: LimitSeen | CheckSeen, key: string, at: number): boolean {
  return one.key === key && one.at >= at;
}

/** The same record without the requests that measure remedies: these are no traffic of a fault. */
export function withoutRemedies(seen: Seen): Seen {
  const measuring = new Set(remediesOf(seen).flatMap(({ checks }) => checks));
  const entries = seen.record.entries.filter((entry) => entry.kind !== 'check' || !measuring.has(entry));
  return { ...seen, record: new TortureRecord(entries) };
}

/** What a status reports of the remedy of a scenario. */
export function remediationIn(
  status: ChaosDemoStatus | undefined,
  scenario: string,
): DiagnosisStatus['remediation'] {
  return status?.diagnoses?.find((one) => one.scenario === scenario)?.remediation;
}
