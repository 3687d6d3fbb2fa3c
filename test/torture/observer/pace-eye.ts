/** Sees whether the observer itself stands still: what it noted then came later than it happened. */
import { now, type TortureRecord } from '../record.ts';

const EVERY_MS = 20;
const LATE_MS = 15;

/** Looks until the returned function is called. */
export function watchPace(record: () => TortureRecord): () => void {
  let last = performance.now();
  const timer = setInterval(() => {
    const gap = performance.now() - last - EVERY_MS;
    if (gap > LATE_MS) record().note({ kind: 'stood-still', at: now() - gap, ms: gap });
    last = performance.now();
  }, EVERY_MS);
  return () => clearInterval(timer);
}
