/** Results of callers in a scenario, by pod. Pure. */
import type { ScenarioEvidence, Signal } from '../../evidence/index.ts';
import { componentName } from './plot.ts';
import { tableMarkup } from './table.ts';
import { html, type Markup } from './text.ts';

const ANSWERS = ['sent', 'admitted', 'rejected', 'errors', 'timeouts'] as const;

/** The evidence of a scenario has the figures of the fault only, and of answers in time. */
const WHOLE = 'in the whole watch, with late responses';

/**
 * A table of the answers to the caller that the limit applies to, and one of those to others, if there are any.
 * `isWhole`: nothing was left out of the evidence, so that a missing count is 0.
 */
export function callers(evidence: ScenarioEvidence, isWhole: boolean): Markup {
  const bursts = evidence.bands.filter(({ kind }) => kind === 'burst').length;
  const limit = evidence.bundle.series.find(({ signal }) => signal === 'limit')?.points.at(-1)?.[1];
  const ofBursts = bursts > 1 ? '; of several bursts, of the one that broke the invariant, or the first' : '';
  const tables = [
    table(evidence, 'requests', isWhole, `Requests and outcomes by pod, ${WHOLE}${ofBursts}`, limit),
    table(evidence, 'others', isWhole, `Of other callers, each within its own limit, ${WHOLE}`),
  ].filter((one) => one !== undefined);
  return tables.length === 0 ? html`` : html`<h3>Outcome for callers</h3>\n${tables}`;
}

function table(
  evidence: ScenarioEvidence,
  of: 'others' | 'requests',
  isWhole: boolean,
  caption: string,
  limit?: number,
): Markup | undefined {
  const { components, series } = evidence.bundle;
  const ofPod = (name: string) => series.filter(({ component }) => component === name);
  const last = (name: string, signal: Signal): number | undefined =>
    ofPod(name)
      .find((one) => one.signal === signal)
      ?.points.at(-1)?.[1] ?? (isWhole ? 0 : undefined);
  const pods = components
    .filter(
      ({ name, role }) => role === 'replica' && ofPod(name).some(({ signal }) => signal.startsWith(`${of}-`)),
    )
    .map(({ name }) => ({ name, counts: ANSWERS.map((answer) => last(name, `${of}-${answer}`)) }));
  if (pods.length === 0) return undefined;
  return tableMarkup({
    caption,
    head: ['pod', ...ANSWERS],
    rows: pods.map(({ counts, name }) => [
      componentName(evidence, name),
      ...counts.map((count) => count ?? 'not known'),
    ]),
    foot: [
      `together${limit === undefined ? '' : `; the limit allows ${limit}`}`,
      ...ANSWERS.map((_, i) => totalOf(pods.map(({ counts }) => counts[i]))),
    ],
  });
}

function totalOf(counts: readonly (number | undefined)[]): string {
  const known = counts.filter((count) => count !== undefined);
  if (known.length === 0) return 'not known';
  const sum = known.reduce((all, count) => all + count, 0);
  return known.length === counts.length ? String(sum) : `at least ${sum}`;
}
