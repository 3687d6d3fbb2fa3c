/** Whether traffic may have one more request open: it takes connections that all runs share. */

import { counted } from '../../../api/index.ts';
import type { ConnectionLease } from '../http/connection-budget.ts';

/** Room for one more open request, given back when it is over; undefined: there is none now, and it is left out. */
export type TrafficRoom = () => ConnectionLease | undefined;

/** What is missing where so many requests were left out, with what to do. */
export function leftOutShortfall(requests: number): string {
  return `some of the traffic was left out (${counted(requests, 'request')}): this run had 1000 requests open, or the runs of its namespace, or of others, left no connection or no memory for an answer. Run fewer at once, or lower the rate or the time that an answer may take`;
}
