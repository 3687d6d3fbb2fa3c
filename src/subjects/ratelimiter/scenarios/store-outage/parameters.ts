/** StoreOutage in the API: its parameters and its measures. */
import { z } from 'zod';
import { cel, durationField, type FaultApi } from '../../../../api/index.ts';
import { growing, measures } from '../../../scenarios/measures.ts';
import { faultSchema, named, quoted, typesThatLast } from '../../../scenarios/store-fault.ts';
import { BEHAVIOURS } from '../../checkers/behaviour.ts';

/** Types by which Redis may forget counts. */
const TYPES_THAT_LOSE = [...typesThatLast('Moment'), ...typesThatLast('ForGood')];

const schema = z
  .object({
    fault: faultSchema,
    callerTimeout: durationField('How long a caller waits for an answer.', '100ms', '10s').default('1s'),
    requestsPerSecond: z
      .int()
      .min(1)
      .max(50)
      .default(5)
      .describe(
        'Requests per second to each pod of new callers, which stay within their limit, and three times as many of callers that were there before. With identity SourceAddress: twice as many, of the one caller.',
      ),
    settle: durationField(
      'How long the limiter may take after the fault to admit callers within their limits, and to reject others. The operator keeps sending for one more second.',
      '1s',
      '1m',
    ).default('5s'),
    seed: z.uint32().optional().describe('Draws the callers. Default: new in each run; results name it.'),
    accept: z
      .array(z.enum(BEHAVIOURS))
      .min(1)
      .max(BEHAVIOURS.length)
      .default(['Enforces', 'FailsClosed'])
      .meta({
        description:
          'Behaviors in the fault that are accepted; any other is Violated. So is over-admission unless FailsOpen is named; after a DataLoss or a Failover, Forgets accepts the limit once more. No recovery within settle, or a limit that is not returned, is always Violated. Leave it out with expect Violated.',
        'x-kubernetes-list-type': 'set',
      }),
  })
  .meta({
    description:
      'Stalls Redis or breaks its connections, and reports the outcome for callers; for type StoreOutage.',
    ...cel({
      rule: `!('Forgets' in self.accept) || self.fault.type in ${quoted(TYPES_THAT_LOSE)}`,
      message: `accept may name Forgets for a fault that can lose counts: ${named(TYPES_THAT_LOSE)}`,
    }),
  });

/** A clause for each behaviour during the fault. */
const CLAUSES: Readonly<Record<(typeof BEHAVIOURS)[number], string>> = {
  Enforces: 'enforces its limit',
  FailsOpen: 'fails open',
  Forgets: 'forgets callers',
  FailsClosed: 'fails closed',
  Hangs: 'hangs',
  Mixed: 'behaves differently by pod or caller',
};

/** Of "FailsOpen, 30 > 10": "fails open during the outage; over-admission 30 > 10". */
function behaviourClause(summary: string): string {
  const [, word = '', rest = ''] = /^(?:>= )?([A-Z][A-Za-z]+)(?:[,;] (.*))?$/.exec(summary) ?? [];
  const behaviour = BEHAVIOURS.find((known) => known === word);
  if (behaviour === undefined) return `during the outage: ${summary}`;
  const what = /^\d/.test(rest) ? `over-admission ${rest}` : rest;
  return `${CLAUSES[behaviour]} during the outage${rest === '' ? '' : `; ${what}`}`;
}

export const api = {
  type: 'StoreOutage',
  member: 'storeOutage',
  schema,
  conditionMeaning:
    'In this run, a behavior or over-admission during the fault was not accepted. Or the limiter did not recover within settle, or a limit was not returned.',
  measures: [
    ...growing('requests', {
      notAdmitted:
        'Requests within the limit of their caller that were rejected, failed or timed out during the fault.',
      overAdmission:
        "Requests of one caller admitted beyond what the limit allows, by the sender's own count, whether or not it still waited for the answer.",
    }),
    ...measures('requests', {
      underLimit:
        'Requests during the fault that the limit certainly allowed, whatever it had counted of those before.',
      serverErrors:
        'Requests of notAdmitted with a status from 500 on, except 503. Left out if there were none.',
    }),
    ...measures('ms', {
      latencyBefore: 'Median time to an answer before the fault.',
      latencyDuring:
        'The same during the fault, of the answers that came in time; missing if none came. Requests that the end of the fault may have answered do not count.',
      latencyAfter: 'The same after the fault.',
      timeToRecovery:
        'From the end of the fault until each pod admitted callers within their limits and rejected others again. With identity SourceAddress: until it answered and rejected the one caller. The bound is settle. A lower bound if that had not happened when the last request was sent.',
    }),
    ...measures('callers', {
      lockedOut:
        'Callers that were still rejected when their limit had to be returned. Only there if some were.',
    }),
    ...measures('requests', {
      overCounted:
        'Requests that were counted and not admitted, at least: those that limits lacked when callers were rejected after settle. Only there if a caller was.',
    }),
  ],
  finding: (_, summary) => behaviourClause(summary),
} as const satisfies FaultApi;

export type StoreOutageSpec = z.output<typeof schema>;
