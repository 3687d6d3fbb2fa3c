/** Bundles made by hand for tests of this folder: three replicas, a store, a client. */
import {
  EVIDENCE_VERSION,
  type EvidenceBundle,
  evidenceBundle,
  SIGNALS,
  type Signal,
} from '../evidence/index.ts';

export type Points = readonly (readonly [atMs: number, value: number])[];

/** A series, or an event where the second member is a sentence. */
export type Part =
  | readonly [component: string, signal: Signal, points: Points]
  | readonly [component: string, text: string, atMs: number];

export interface BundleParts {
  readonly replicas?: number;
  readonly parts: readonly Part[];
  readonly invariant?: { formula: string; values: Record<string, number>; broken: boolean };
}

/** A bundle that keeps to the schema; ids count in the order of the parts. */
export function bundleOf({ replicas = 3, parts, invariant }: BundleParts): EvidenceBundle {
  const names = Array.from({ length: replicas }, (_, i) => `replica-${i + 1}`);
  const series: EvidenceBundle['series'] = [];
  const events: EvidenceBundle['events'] = [];
  for (const [component, what, value] of parts) {
    if (typeof value === 'number') {
      events.push({ id: `e${events.length + 1}`, atMs: value, component, text: what });
    } else {
      const signal = what as Signal;
      const points = value.map(([at, v]): [number, number] => [at, v]);
      series.push({ id: `s${series.length + 1}`, component, signal, unit: SIGNALS[signal].unit, points });
    }
  }
  return evidenceBundle.parse({
    version: EVIDENCE_VERSION,
    components: [
      ...names.map((name) => ({ name, role: 'replica' })),
      { name: 'store', role: 'store' },
      { name: 'client', role: 'client' },
    ],
    relations: names.flatMap((name) => [
      { from: 'client', kind: 'sends-requests-to', to: name },
      { from: name, kind: 'keeps-counts-in', to: 'store' },
    ]),
    series,
    events,
    ...(invariant && {
      invariant: {
        formula: invariant.formula,
        broken: invariant.broken,
        values: Object.entries(invariant.values).map(([name, v], i) => ({
          id: `v${i + 1}`,
          name,
          value: v,
        })),
      },
    }),
  });
}
