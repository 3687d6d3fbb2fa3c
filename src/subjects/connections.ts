/** Connections to pods that this process may have, shared by all its subjects. */
import type { SubjectPorts } from '../engine/subject.ts';
import { ConnectionBudget } from './http/connection-budget.ts';

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

export function connectionsOf({ shared }: Pick<SubjectPorts<unknown>, 'shared'>): ConnectionBudget {
  budget ??= new ConnectionBudget(MOST_OF_PROCESS, MOST_OF_NAMESPACE, shared);
  return budget;
}
