/** What this process holds: for tests that look whether it keeps anything. */
import { readdirSync } from 'node:fs';
import { getActiveResourcesInfo, memoryUsage } from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** At rest, after everything that can be collected is. */
export interface Held {
  readonly heapMiB: number;
  /** Open files, sockets and pipes, as the kernel counts them. */
  readonly descriptors: number;
  /** Sockets, as Node counts them. */
  readonly sockets: number;
  readonly timers: number;
}

// As --expose-gc would, without a flag on the command line.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Collects garbage and looks. */
export function held(): Held {
  // Twice: what the first finds unreachable may hold further things by a finalizer.
  collect();
  collect();
  const active = getActiveResourcesInfo();
  const count = (pattern: RegExp): number => active.filter((name) => pattern.test(name)).length;
  return {
    heapMiB: memoryUsage().heapUsed / 2 ** 20,
    descriptors: readdirSync('/proc/self/fd').length,
    sockets: count(/TCP.*Wrap/),
    timers: count(/^Timeout$/),
  };
}
