/** The outcomes of an operator's requests, as far as the record shows them: each number has a minimum and a maximum. */

import type { CheckSeen, TortureRecord } from '../record.ts';
import { TIMEOUT_MS } from '../settings.ts';
import { stepsBetween } from './delays.ts';

/** An answer so much before a timeout counts as in time for sure. */
const MARGIN_MS = 250;

export interface Range {
  readonly least: number;
  readonly most: number;
}

export interface Answers {
  /** Requests that reached a proxy. */
  readonly requests: number;
  /** Admitted, as the operator learned in time. */
  readonly admittedInTime: Range;
  /** Answered 429. */
  readonly rejected: Range;
  /** Answered 503: a node that got no answer from Redis. */
  readonly errors: Range;
  /** Admitted by the nodes, whether or not the operator learned of it. */
  readonly admitted: number;
}

/**
 * @param before an answer after this may have come too late to be counted
 */
export function answersTo(
  checks: readonly CheckSeen[],
  record: TortureRecord,
  lane: number,
  before = Infinity,
): Answers {
  const unsteady = (check: CheckSeen): boolean => {
    const to = (check.answeredAt ?? check.at + TIMEOUT_MS) + MARGIN_MS;
    return stepsBetween(record, check.at, to, lane, ['operator', 'node', 'node-link']).some(
      ({ step }) =>
        step.action.what === 'cut' || step.action.what === 'kill' || step.action.to === 'operator',
    );
  };
  const range = (is: (check: CheckSeen) => boolean): Range => {
    const most = checks.filter((check) => is(check) && check.answeredAt !== undefined);
    const least = most.filter(
      (check) =>
        (check.answeredAt ?? 0) - check.at < TIMEOUT_MS - MARGIN_MS &&
        (check.answeredAt ?? 0) < before - MARGIN_MS &&
        !unsteady(check),
    );
    return { least: least.length, most: most.length };
  };
  return {
    requests: checks.length,
    admittedInTime: range(({ allowed, status }) => status === 200 && allowed === true),
    rejected: range(({ status }) => status === 429),
    errors: range(({ status }) => status === 503),
    admitted: checks.filter(({ allowed, status }) => status === 200 && allowed === true).length,
  };
}

/** Either of two. */
export function together(one: Range, other: Range): Range {
  return { least: one.least + other.least, most: one.most + other.most };
}

/** Undefined where the value lies in the range. */
export function outside(what: string, value: number | undefined, { least, most }: Range): string | undefined {
  if (value === undefined || (value >= least && value <= most)) return undefined;
  return `${what} is said to be ${value}, and ${least === most ? least : `${least} to ${most}`} were seen`;
}
