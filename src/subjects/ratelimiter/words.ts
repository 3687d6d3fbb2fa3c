/** Figures as sentences need them. */

/** "1 key", "2 keys". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** "node-1 10, node-2 10": counts by node. */
export function perNode(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([node, count]) => `${node} ${count}`).join(', ');
}

/** "+1.20 s": a moment, told from the start of the fault; '' where that is not known. */
export function sinceStart(at: number, startedAt: number | undefined): string {
  if (startedAt === undefined) return '';
  const seconds = (at - startedAt) / 1000;
  return `${seconds < 0 ? '-' : '+'}${Math.abs(seconds).toFixed(2)} s`;
}
