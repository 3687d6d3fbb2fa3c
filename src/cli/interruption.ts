/** Handles Ctrl-C for the programs that run on a terminal. */

import { EXIT } from './exit-status.ts';

/** `npm run` forwards the signal that the terminal also sends: signals within this time, in ms, are one Ctrl-C. */
const SAME_MS = 1000;

/**
 * Returns an AbortSignal that aborts on the first of these signals, so that the program can run its teardown. The next
 * one ends the process immediately.
 *
 * Uses `on`, not `once`: Node.js removes a `once` listener before it calls the others, and Ink kills the process if its
 * own exit handler is the only listener left.
 * @param onInterrupt called once, before the abort
 */
export function interruptedBy(names: readonly NodeJS.Signals[], onInterrupt?: () => void): AbortSignal {
  const interrupted = new AbortController();
  let at: number | undefined;
  for (const name of names) {
    process.on(name, () => {
      const now = performance.now();
      if (at !== undefined) {
        if (now - at > SAME_MS) process.exit(EXIT.interrupted);
        return;
      }
      at = now;
      onInterrupt?.();
      interrupted.abort(new Error(`stopped by ${name}`));
    });
  }
  return interrupted.signal;
}
