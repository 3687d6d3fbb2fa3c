/** Every ChaosDemo that the documentation shows is one that the API server accepts. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kubectl } from '@chaosdemo/testbed';
import { beforeAll, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { adminKubectl, uniqueNamespace } from '../kit/control-plane.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Shown {
  readonly place: string;
  readonly demo: { readonly kind?: string; readonly metadata?: object };
}

/** The whole ChaosDemos in the YAML blocks of a page. */
function demosIn(page: string): Shown[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  return [...text.matchAll(/^```ya?ml\n(.*?)^```/gms)].flatMap(({ 1: block = '', index }) => {
    const line = text.slice(0, index).split('\n').length;
    const documents = parseAllDocuments(block).map((document) => document.toJS() as Shown['demo'] | null);
    return documents.flatMap((demo) =>
      demo?.kind === 'ChaosDemo' && 'spec' in demo ? [{ place: `${page}:${line}`, demo }] : [],
    );
  });
}

const pages = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((file) => join('docs', file))];
const shown = pages.filter((page) => page.endsWith('.md')).flatMap(demosIn);

let kubectl: Kubectl;
let namespace: string;

beforeAll(async () => {
  kubectl = adminKubectl();
  namespace = await uniqueNamespace('docs');
});

it.each(shown)('the API server accepts the ChaosDemo at $place', async ({ demo }) => {
  const input = JSON.stringify({ ...demo, metadata: { ...demo.metadata, namespace } });
  await kubectl.run(['create', '--dry-run=server', '-f', '-'], { input });
});

it('the README shows a ChaosDemo of at most 12 lines first', () => {
  const [, block = ''] = /^```yaml\n(.*?)^```/ms.exec(readFileSync(join(ROOT, 'README.md'), 'utf8')) ?? [];
  expect(block).toContain('kind: ChaosDemo');
  expect(block.trimEnd().split('\n').length).toBeLessThanOrEqual(12);
});
