/**
 * What `decide` requests of the shell. Effects are done once, known by their id; activities are what should be running
 * now. Each yields findings (findings.ts), and nothing else. A check is done again under its id once it has ended.
 */
/** Done by the shell, through the connector of the subject. */
export type ShellEffect =
  /**
   * Find out whether the subject may be touched, take the lock on what only one run may use, and open a driver ->
   * Admission. `mustUndo`: an earlier process may have left something active, so open a driver to undo it even if
   * nothing may be injected (any more).
   */
  | { kind: 'Admit'; id: string; mustUndo: boolean }
  /** Find out the template of the pods -> PodTemplate. */
  | { kind: 'FindPodTemplate'; id: string };

/** Done by the driver of the subject. */
export type SubjectEffect =
  /** Measure the normal behaviour without a fault, on `fixture` -> Baseline. Safe to repeat. */
  | { kind: 'MeasureBaseline'; id: string; fixture: string }
  /** Set up a fresh fixture, read back on every pod -> Prepared, NotPrepared or Admission. Safe to repeat. */
  | { kind: 'Prepare'; id: string; fault: string; scenario: string; fixture: string }
  /** Inject a fault -> Fault. Never repeated: performed only by the process that announced it. */
  | { kind: 'Inject'; id: string; scenario: string; plannedAt: number; until: number }
  /** Find out whether a fault of a process that no longer exists was injected -> Orphan. */
  | { kind: 'Inquire'; id: string; fault: string; scenario: string; marker: string }
  /** Request a diagnosis of an anomaly from a profile -> Diagnosis. Of any duration, and blocks nothing. */
  | { kind: 'Diagnose'; id: string; fault: string; scenario: string; profile: string }
  /** Prove that the fault is over and measure its effects -> Recovery. */
  | { kind: 'Recover'; id: string; fault: string; scenario: string; settleMs: number }
  /** Undo the run: end faults now if `release`, prove that the subject works -> Restored. `fixtures`: of its faults. */
  | { kind: 'Restore'; id: string; fixtures: readonly string[]; release: boolean };

export type Effect = ShellEffect | SubjectEffect;

export type Activity =
  /** Poll the health of the subject -> Health. `intervalMs`: between two checks. */
  | { kind: 'PollHealth'; intervalMs: number }
  /** Check whether the subject may still be touched and which pods are gone -> PreconditionCheck. */
  | { kind: 'RecheckPreconditions' }
  /** Wait for the end of a proven fault that is still active -> Fault, with `endedAt`. */
  | { kind: 'AwaitEnd'; fault: string; scenario: string }
  /** Compare observations with the scenario's invariant -> Reading. */
  | { kind: 'Watch'; fault: string; scenario: string }
  /** Steady traffic while the fault lasts. */
  | { kind: 'Load'; fault: string; scenario: string };
