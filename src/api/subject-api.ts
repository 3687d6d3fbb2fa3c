/**
 * A subject's part of the resource: its member of `spec`, its scenario types, and the documentation of its conditions,
 * reasons, columns and measures. `assembleApi` builds CRD, schema and reference from the registered ones.
 */
import type { z } from 'zod';

/** A validation rule in CEL, for `x-kubernetes-validations`. */
export interface CelRule {
  readonly rule: string;
  readonly message?: string;
}

/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description?: string;
  /** 1: with `-o wide` only. */
  readonly priority?: number;
}

/** A figure that a scenario reports in `status.scenarios[].measures`. */
export interface MeasureApi {
  readonly name: string;
  readonly unit: string;
  readonly meaning: string;
  /** Whether it only grows while the fault is observed: if the observation was interrupted, it is a lower bound. */
  readonly grows?: boolean;
}

/** A scenario type: the fault it injects and the invariant it watches. */
export interface FaultApi {
  /** Value of `spec.scenarios[].type`: "Outage". */
  readonly type: string;
  /** Member of a scenario with its parameters: "outage". */
  readonly member: string;
  /** Schema of that member; every field has a default, since a scenario may omit the member. */
  readonly schema: z.ZodType<object, object>;
  /** The meaning of the condition of its type, in a sentence. */
  readonly conditionMeaning: string;
  /** The measure of the invariant first. */
  readonly measures: readonly MeasureApi[];
  /**
   * The finding of a scenario with this result and summary, as a clause: "loses orders while the store is away (3)".
   */
  readonly finding: (result: 'Violated' | 'Held', summary: string) => string;
}

/** A Secret that the operator reads for a subject. */
export interface SecretApi {
  readonly type: string;
  /** Its content, in Markdown. */
  readonly meaning: string;
}

/** A subject's part of the API. */
export interface SubjectApi {
  /** Member of `spec` for its part: "queue". A spec that has it is about this subject. */
  readonly member: string;
  /** Name in messages: "queue". */
  readonly displayName: string;
  /** Schema of that member. */
  readonly schema: z.ZodType<object, object>;
  /** What its member and the scenarios contradict together: CEL about `self`, the spec. */
  readonly rules: readonly CelRule[];
  /** Fields of that member that start no run when they change. */
  readonly fieldsThatStartNoRun: readonly string[];
  readonly faults: readonly FaultApi[];
  /** Further columns; one that several subjects have is shown once. */
  readonly columns: readonly PrinterColumn[];
  /** The scenarios of a spec that has none. */
  readonly defaultScenarios: readonly { readonly name: string; readonly type: string }[];
  /** Subject-specific reasons: why a run is refused or waits. */
  readonly refusals: readonly string[];
  readonly secrets: readonly SecretApi[];
}
