import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { CONDITIONS_BY_STATE, REASONS } from '../api/index.ts';
import { conditionsFor } from '../demo/conditions.ts';
import type { Context, Standing } from '../demo/context.ts';
import { nothingObserved } from '../demo/observed.ts';
import { referenceMarkdown } from './generate-reference.ts';

const docs = (name: string) => readFile(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

describe('docs/reference.md', () => {
  it('is committed as the code makes it (npm run generate)', async () => {
    expect(await docs('reference.md')).toBe(await referenceMarkdown());
  });

  const because = { reason: 'Running', message: '' } as const;
  it.each<[keyof typeof CONDITIONS_BY_STATE, Standing, 'Succeeded' | 'Failed' | undefined]>([
    ['open', { kind: 'pending', ...because }, undefined],
    ['open', { kind: 'running', ...because }, undefined],
    ['succeeded', { kind: 'finished' }, 'Succeeded'],
    ['unsuccessful', { kind: 'finished' }, 'Failed'],
    ['refused', { kind: 'refused', ...because }, undefined],
    ['suspended', { kind: 'suspended' }, undefined],
  ])('tells of the state %s what the operator writes for %j', (state, standing, phase) => {
    const run = phase && { verdict: { phase, ...because } };
    const context = {
      demo: { generation: 1, status: {} },
      draft: { run },
      now: 0,
      observed: nothingObserved(0),
      standing,
    } as unknown as Context;
    const types = new Set(['Ready', 'Reconciling', 'Stalled', 'Complete', 'Succeeded']);
    const written = conditionsFor(context).filter(({ type }) => types.has(type));
    expect(Object.fromEntries(written.map(({ type, status }) => [type, status]))).toEqual(
      CONDITIONS_BY_STATE[state].conditions,
    );
  });
});

describe('docs/troubleshooting.md', () => {
  it('has a section for every reason that can be met', async () => {
    const text = await docs('troubleshooting.md');
    expect(Object.keys(REASONS).filter((reason) => !text.includes(`\n### ${reason}\n`))).toEqual([]);
  });
});
