/** Progress of long steps: plain lines, good for terminals and logs alike. */
import type { Progress } from '@chaosdemo/testbed';

/** `42 s` or `3 min 07 s`. */
export function formatElapsed(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** Calls `describe` every `everyMs` (default 5 s) while `work` runs and reports it with the elapsed time. */
export async function withHeartbeat<T>(
  progress: Progress,
  describe: () => string,
  work: () => Promise<T>,
  everyMs = 5_000,
): Promise<T> {
  const start = performance.now();
  const timer = setInterval(
    () => progress(`${describe()}, ${formatElapsed(performance.now() - start)}`),
    everyMs,
  );
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
