/** Work that repeats while its owner lives, one run at a time. */

export interface Periodic {
  /** Starts no further run; returns the one under way, if any. */
  stop(): Promise<void>;
}

/**
 * Runs `work` every `intervalMs`; a run that takes longer makes the next one wait, and none is queued.
 * `work` handles its own errors; what it throws ends the process, as any unhandled rejection does.
 */
export function startPeriodic(intervalMs: number, work: () => Promise<void>): Periodic {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    if (running !== undefined) return;
    running = work().finally(() => {
      running = undefined;
    });
  }, intervalMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
