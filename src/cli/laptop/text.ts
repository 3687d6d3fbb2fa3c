/** The ChaosDemo of an API as YAML, with the source of each part as a comment. Pure. */
import { Document, isMap, isScalar } from 'yaml';
import { terminalLine } from '../../api/index.ts';
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
