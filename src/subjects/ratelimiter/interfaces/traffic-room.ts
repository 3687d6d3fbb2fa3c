/** Whether traffic may have one more request open: it takes connections that all runs share. */

import type { ConnectionLease } from '../http/connection-budget.ts';

/** Room for one more open request, given back when it is over; undefined: there is none now, and it is left out. */
export type TrafficRoom = () => ConnectionLease | undefined;
