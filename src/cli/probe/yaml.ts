/** The ChaosDemo as YAML, with the source of each part as comments. Pure. */
import { Document, isMap, isScalar, isSeq } from 'yaml';
import { terminalLine } from '../../api/index.ts';
import type { Finding } from './limit-facts.ts';
import { type ApiFacts, runOf } from './manifest.ts';
import { withoutSecrets } from './secret-headers.ts';

/** The field of `spec.rateLimiter` that a finding is about. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  pods: ['selector'],
  port: ['port'],
  caller: ['http'],
  'secret headers': ['http', 'authSecretName'],
  'filled header': ['http', 'headers'],
  health: ['health', 'path'],
  limit: ['limit', 'requests'],
  window: ['limit', 'window'],
  algorithm: ['limit', 'algorithm'],
  redis: ['redis'],
};

/**
 * The last finding about a field counts.
 * @param head the comment at the beginning
 */
export function yamlOf(known: ApiFacts, findings: readonly Finding[], head: string): string {
  const { facts, findings: more } = withoutSecrets(known);
  const document = new Document(runOf(facts).demo);
  document.commentBefore = head;
  for (const { because, source, what } of [...findings, ...more]) {
    const node = document.getIn(['spec', 'rateLimiter', ...(FIELDS[what] ?? [])], true);
    const comment = ` ${source}: ${terminalLine(because)}`;
    if (isScalar(node)) node.comment = comment;
    if (isMap(node) || isSeq(node)) node.commentBefore = comment;
  }
  const accept = document.getIn(['spec', 'scenarios', 0, 'storeOutage', 'accept'], true);
  if (isSeq(accept)) {
    accept.flow = true;
    accept.comment = ' outcomes that are as expected; any other fails the run: FailsOpen, Hangs, Mixed';
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}
