/**
 * Which nodes let a caller through beyond its limit, where all of them together did. The rule
 * is written down in docs/limits.md: a limit is one for all nodes. Pure.
 */
import type { AdmittedRequest } from '../../limits/over-admission.ts';

export interface NodeAdmission extends AdmittedRequest {
  readonly node: string;
}

/**
 * The nodes that leaked from `startedAt` on. One did where its own admissions, on top of those of all nodes before, are
 * more than the limit allows; what another admitted meanwhile is not held against it. Where the rest are more only
 * together, each of them that admitted anything did. `exceed`: whether these are more than the limit allows.
 */
export function leakingNodes(
  admitted: readonly NodeAdmission[],
  startedAt: number,
  exceed: (some: readonly NodeAdmission[]) => boolean,
): ReadonlySet<string> {
  const { before = [], since = [] } = Object.groupBy(admitted, ({ answeredAt }) =>
    answeredAt <= startedAt ? 'before' : 'since',
  );
  const leaking = new Set<string>();
  for (const [node, own] of Map.groupBy(since, (each) => each.node)) {
    if (exceed([...before, ...own])) leaking.add(node);
  }
  const rest = since.filter(({ node }) => !leaking.has(node));
  if (rest.length > 0 && exceed([...before, ...rest])) for (const { node } of rest) leaking.add(node);
  return leaking;
}
