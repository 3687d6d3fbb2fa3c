/** Figures as sentences need them. */

/** "node-1 10, node-2 10": counts by node. */
export function perNode(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([node, count]) => `${node} ${count}`).join(', ');
}

/** Of counts. */
export function sumOf(counts: Iterable<number>): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}

/** ">= " before a figure that could not have come out higher, whatever the truth; else ''. */
export function atLeast({ atLeast: saturated }: { readonly atLeast?: boolean | undefined }): string {
  return saturated ? '>= ' : '';
}

/** "+1.20 s": a moment, told from the start of the fault; '' where that is not known. */
export function sinceStart(at: number, startedAt: number | undefined): string {
  if (startedAt === undefined) return '';
  const seconds = (at - startedAt) / 1000;
  return `${seconds < 0 ? '-' : '+'}${Math.abs(seconds).toFixed(2)} s`;
}

/** What was said and what to do about it, as one clause. */
export function withAdvice(said: string, advice: string | undefined): string {
  return advice === undefined ? said : `${said.replace(/\.$/, '')}; ${advice}`;
}
