/** Kinds of subjects, as the framework sees them, and the connections to pods that all of them share. */
import { createDiagnosisProfiles, type DiagnosisProfiles } from '../diagnosis/index.ts';
import type { Subject, SubjectDefinition, SubjectPorts } from '../engine/subject.ts';
import { PodsConnector } from './admission/connector.ts';
import type { Cluster } from './cluster.ts';
import { ConnectionBudget } from './http/connection-budget.ts';
import { plansOf, type SubjectKind, scenarioOf, storyOf } from './scenarios/scenario-type.ts';

/**
 * Enough for the largest burst, and as much again as 800 connections take for the traffic of other runs and for
 * answers: 95 MiB.
 */
const MOST_OF_NAMESPACE = 10_800;
/**
 * Open requests to pods, each with its connection, and bursts, of all runs of this process: 181 MiB. Idle connections
 * of pools are not counted: see `http/pod-client.ts`.
 */
const MOST_OF_PROCESS = 20_600;

/** One for all terms of leadership: an earlier one may still be ending. */
let budget: ConnectionBudget | undefined;

function connectionsOf({ shared }: Pick<SubjectPorts<unknown>, 'shared'>): ConnectionBudget {
  budget ??= new ConnectionBudget(MOST_OF_PROCESS, MOST_OF_NAMESPACE, shared);
  return budget;
}

const RULES = createDiagnosisProfiles();

/** Opens no connection. @param diagnosis explains what was detected; default: rules only */
export function subjectOf(kind: SubjectKind, diagnosis: DiagnosisProfiles = RULES): Subject<Cluster> {
  const definition: SubjectDefinition = {
    api: kind.api,
    welcome: (spec, target) => kind.welcome(spec, target),
    waitsFor: (spec, scenario) => kind.waitsFor?.(spec, scenario),
    chapters: (spec) => storyOf(kind, spec),
    scenarios: (spec) => plansOf(kind, spec).map(scenarioOf),
  };
  return {
    definition,
    connect: (ports) => new PodsConnector(kind, ports, connectionsOf(ports), diagnosis),
  };
}
