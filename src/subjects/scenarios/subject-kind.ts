/**
 * A kind of subject: pods behind HTTP that keep their state in one Redis. A run of any of them is admitted, driven,
 * recorded and judged in the same way; this is what differs.
 */
import type { z } from 'zod';
import type { ChaosDemoSpec } from '../../api/index.ts';
import type { SubjectDefinition } from '../../engine/subject.ts';
import type { Setup } from '../history/setup.ts';
import type { PodsSpec } from '../spec/pods-schema.ts';
import type { ScenarioPlan, ScenarioType } from './scenario-type.ts';
import type { Controls, Toolkit } from './tools.ts';

export interface SubjectKind<S extends PodsSpec = PodsSpec>
  extends Pick<SubjectDefinition, 'api' | 'waitsFor' | 'welcome'> {
  /** Its member of `spec`. */
  readonly part: string;
  /** In the order of the story. */
  readonly types: readonly ScenarioType[];
  /** Its part of a spec, complete. @throws TypeError if it is missing, which the API server's validation rules out */
  partOf(spec: ChaosDemoSpec): S;
  /** What a history of it begins with, and the member of that with the part of the spec. */
  readonly setup: z.ZodType<Setup>;
  readonly recordedAs: string;
  /** Adds the tools of its controls and workloads. */
  tools(tools: Toolkit, part: S): Toolkit;
  /**
   * The controls before any fault.
   * @param key the names of all keys of the control begin with it
   * @throws Error with the problem and what to do
   */
  control(
    toolkit: Toolkit,
    of: { readonly key: string; readonly plans: readonly ScenarioPlan[]; readonly spec: ChaosDemoSpec },
    signal: AbortSignal,
  ): Promise<Controls>;
  /** Fields that do not fit together, with what to change; undefined: they do. */
  unsuited?(part: S): string | undefined;
  /** For callers that are accounts: how long one is left alone after its last request; milliseconds. */
  accountRestMs?(part: S): number;
  /** Why it cannot use a Cluster, with what to change; undefined: it can. */
  noCluster?(part: S): string | undefined;
}

/** @throws RangeError for a type that this kind does not have */
export function scenarioTypeOf({ part, types }: SubjectKind, type: string): ScenarioType {
  const found = types.find(({ api }) => api.type === type);
  if (!found) throw new RangeError(`${part} has no scenario type ${type}`);
  return found;
}

/** The scenarios of a spec, in their order. */
export function plansOf(kind: SubjectKind, spec: ChaosDemoSpec): ScenarioPlan[] {
  const part = kind.partOf(spec);
  return spec.scenarios.map((scenario) => scenarioTypeOf(kind, scenario.type).plan(scenario, part));
}
