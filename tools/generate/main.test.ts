import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CONDITIONS_BY_STATE, REASON_GROUPS } from '../../src/api/index.ts';
import { conditionsFor } from '../../src/engine/conditions.ts';
import type { Context, ObjectState } from '../../src/engine/context.ts';
import { nothingObserved } from '../../src/engine/observed.ts';
import { SUBJECTS } from '../../src/subjects/index.ts';
import { lampApi } from '../../test/fixtures/api/subject.ts';
import { apiReference } from './api-reference.ts';
import { generatedFiles } from './main.ts';

const committed = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

const files = await generatedFiles();

describe('generated files', () => {
  it.each(files)('%s is committed as the code makes it (npm run generate)', async (path, text) => {
    expect(await committed(path)).toBe(text);
  });
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly 'x-kubernetes-validations'?: readonly object[];
}

/** How many named fields and CEL rules a schema has, with those below it. */
function sizeOf(schema: Schema): { fields: number; rules: number } {
  const own = Object.values(schema.properties ?? {});
  const size = { fields: own.length, rules: schema['x-kubernetes-validations']?.length ?? 0 };
  for (const part of [...own, ...(schema.items ? [schema.items] : [])].map(sizeOf)) {
    size.fields += part.fields;
    size.rules += part.rules;
  }
  return size;
}

it('the CRD is the same to those who read YAML 1.1, as kubectl and Helm do', async () => {
  const text = await committed('crds/chaosdemo.dev_chaosdemos.yaml');
  expect(parse(text, { version: '1.1' })).toEqual(parse(text));
});

describe('the API', () => {
  it('does not grow unnoticed', async () => {
    const { spec } = parse(await committed('crds/chaosdemo.dev_chaosdemos.yaml')) as {
      spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: Schema; status: Schema } } } }[] };
    };
    const { properties } = spec.versions[0]?.schema.openAPIV3Schema ?? {};
    expect(sizeOf(properties?.spec ?? {})).toEqual({ fields: 168, rules: 53 });
    expect(sizeOf(properties?.status ?? {})).toEqual({ fields: 65, rules: 2 });
  });
});

describe('docs/reference.md', () => {
  const because = { reason: 'Running', message: '' } as const;
  it.each<[keyof typeof CONDITIONS_BY_STATE, ObjectState, object | undefined]>([
    ['open', { kind: 'pending', ...because }, undefined],
    ['open', { kind: 'running', ...because }, undefined],
    ['succeeded', { kind: 'finished' }, { phase: 'Succeeded', ...because }],
    ['unsuccessful', { kind: 'finished' }, { phase: 'Failed', ...because }],
    ['refused', { kind: 'refused', ...because }, undefined],
    ['suspended', { kind: 'suspended' }, undefined],
  ])('reports for the state %s what the operator writes for %j and run %j', (state, standing, run) => {
    const context = {
      demo: { spec: { scenarios: [] } },
      draft: { run },
      now: 0,
      observed: nothingObserved(0),
      objectState: standing,
      subject: SUBJECTS[0]?.definition,
    } as unknown as Context;
    const types = new Set(['Ready', 'Reconciling', 'Stalled', 'Finished', 'Succeeded']);
    const written = conditionsFor(context).filter(({ type }) => types.has(type));
    expect(Object.fromEntries(written.map(({ type, status }) => [type, status]))).toEqual(
      CONDITIONS_BY_STATE[state],
    );
  });
});

it('the reference documents what a registered subject brings', () => {
  const text = apiReference([lampApi]).join('\n');
  for (const word of ['spec.lamp.socket', 'NoSocket', '`Flicker`', '`dark`', 'example.dev/key']) {
    expect(text).toContain(word);
  }
});

describe('docs/troubleshooting.md', () => {
  it('has one section for every reason that can be met', async () => {
    const text = await committed('docs/troubleshooting.md');
    const reasons = [
      ...Object.values(REASON_GROUPS).flat(),
      ...SUBJECTS.flatMap(({ definition }) => definition.api.refusals),
    ];
    const sections = [...text.matchAll(/^### (.+)$/gm)].map(([, heading]) => heading);
    expect(reasons.filter((reason) => !sections.includes(reason))).toEqual([]);
    expect(sections.filter((heading, place) => sections.indexOf(heading) !== place)).toEqual([]);
  });
});
