import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { buildCrd } from './crd.ts';
import { crdYaml } from './generate-crd.ts';

type Schema = { description?: string; properties?: Record<string, Schema>; items?: Schema; type?: string };

/** Paths of fields that `kubectl explain` would show without a word. */
function undescribed(schema: Schema, path: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
    ...(field.description ? [] : [`${path}.${name}`]),
    ...undescribed(field, `${path}.${name}`),
    ...(field.items ? undescribed(field.items, `${path}.${name}[]`) : []),
  ]);
}

describe('the CRD', () => {
  it('is committed as the schemas make it (npm run generate)', async () => {
    expect(await readFile(new URL('../../crds/chaosdemo.dev_chaosdemos.yaml', import.meta.url), 'utf8')).toBe(
      crdYaml(),
    );
  });

  it('describes every field of spec and status', () => {
    const { versions } = buildCrd()['spec'] as { versions: { schema: { openAPIV3Schema: Schema } }[] };
    const { spec, status } = versions[0]?.schema.openAPIV3Schema.properties ?? {};
    expect([...undescribed(spec ?? {}, 'spec'), ...undescribed(status ?? {}, 'status')]).toEqual([]);
  });
});
