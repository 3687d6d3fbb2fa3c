/**
 * What `decide` asks of the shell. Effects are things to do once, known by
 * their id; activities are what should be going on now.
 */

export type Effect =
  /** Measure what is normal without a fault -> `observed.baseline`. Safe to repeat. */
  | { kind: 'MeasureBaseline'; id: string }
  /** Make a fresh key with a fresh window, read back on every node -> `observed.prepared`. Safe to repeat. */
  | { kind: 'Prepare'; id: string; fault: string; scenario: string; key: string; sequence: number }
  /** Inject a fault -> `observed.faults`. Never repeated: performed only by the process that announced it. */
  | { kind: 'Inject'; id: string; scenario: string; key: string; plannedAt: number; until: number }
  /** Find out whether a fault of a process that is gone was injected -> `observed.orphans`. */
  | { kind: 'Inquire'; id: string; fault: string; scenario: string; marker: string }
  /** Explain an anomaly -> `observed.diagnoses`. */
  | { kind: 'Diagnose'; id: string; fault: string; scenario: string; profile: string }
  /** Prove that the fault is over and look at what it left -> `observed.recoveries`. */
  | { kind: 'Recover'; id: string; fault: string; scenario: string; key: string; settleMs: number }
  /**
   * Undo what the run did: end `release`d faults now, remove `keys`, prove that
   * writes are taken again -> `observed.restored`.
   */
  | { kind: 'Restore'; id: string; keys: string[]; release: boolean };

export type Activity =
  | { kind: 'PollHealth'; intervalMs: number }
  /** Sample the counters of a key and hold them against the scenario's invariant. */
  | { kind: 'Watch'; fault: string; scenario: string; key: string }
  /** Steady traffic on the key while the fault lasts. */
  | { kind: 'Load'; fault: string; scenario: string; key: string };
