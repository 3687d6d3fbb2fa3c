/** The texts of a test: the ChaosDemo as YAML, with the source of each part as comments, and the result. Pure. */
import { Document, isMap, isScalar } from 'yaml';
import { type ChaosDemo, terminalLine } from '../../api/index.ts';
import { findingText, gateOf } from '../finding.ts';
import type { PlannedDemo } from '../plan.ts';
import type { Finding } from './limit-facts.ts';

/** The field of `spec.rateLimiter` that a finding is about. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  health: ['health', 'path'],
  caller: ['http'],
  limit: ['limit', 'requests'],
  window: ['limit', 'window'],
  algorithm: ['limit', 'algorithm'],
};

const HEAD = ` For a cluster, change namespace, selector and redis.service to yours, and create the Secret if
 redis.authSecretName is set: docs/your-limiter.md has both. The comments state how each part is known.`;

/** The last finding about a field counts. */
export function textOf(demo: PlannedDemo, findings: readonly Finding[]): string {
  const document = new Document(demo);
  document.commentBefore = HEAD;
  for (const { because, source, what } of findings) {
    const node = document.getIn(['spec', 'rateLimiter', ...(FIELDS[what] ?? [])], true);
    const comment = ` ${source}: ${terminalLine(because)}`;
    if (isScalar(node)) node.comment = comment;
    if (isMap(node)) node.commentBefore = comment;
  }
  return document.toString({ lineWidth: 0 });
}

/** The result in a few lines, below all that was printed before. */
export function summaryLines({ status = {} }: Pick<ChaosDemo, 'status'>): string[] {
  const { phase, scenarios = [] } = status;
  const results = scenarios.map((one) => `  ${one.name}: ${findingText(one)}: ${gateOf(one)}`);
  const advice =
    phase === 'Failed'
      ? ['Settings that change an outcome: docs/configure.md. Outcomes to accept: --accept']
      : [];
  return ['', phase ?? 'No result', ...results, ...advice];
}
