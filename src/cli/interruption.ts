/** How a program on a terminal is stopped. */

/** As shells report a program that Ctrl-C has ended. */
export const EXIT_INTERRUPTED = 130;

/** `npm run` passes on what the terminal has sent as well: within so many milliseconds it is the same Ctrl-C. */
const SAME_MS = 1000;

/**
 * The signal that aborts on the first of these, so that the program can restore what it has changed. A further one
 * ends the process at once.
 *
 * The listeners stay: Ink ends the process on a signal if its own exit handler is the only listener, and Node.js
 * removes one that is called once before it calls the others.
 * @param onInterrupt called once, before it aborts
 */
export function interruptedBy(names: readonly NodeJS.Signals[], onInterrupt?: () => void): AbortSignal {
  const interrupted = new AbortController();
  let at: number | undefined;
  for (const name of names) {
    process.on(name, () => {
      const now = performance.now();
      if (at !== undefined) {
        if (now - at > SAME_MS) process.exit(EXIT_INTERRUPTED);
        return;
      }
      at = now;
      onInterrupt?.();
      interrupted.abort(new Error(`stopped by ${name}`));
    });
  }
  return interrupted.signal;
}
