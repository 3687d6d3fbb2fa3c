import { describe, expect, it } from 'vitest';
import { lampApi } from '../../test/fixtures/api/subject.ts';
import { schemasOf } from './crd.ts';

type Schema = {
  description?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  'x-kubernetes-validations'?: { rule: string }[];
  'x-kubernetes-list-map-keys'?: string[];
};

const { spec, status } = schemasOf([lampApi]) as { spec: Schema; status: Schema };

/** Paths of fields that `kubectl explain` would show without a word. */
function undescribed(schema: Schema, path: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
    ...(field.description ? [] : [`${path}.${name}`]),
    ...undescribed(field, `${path}.${name}`),
    ...(field.items ? undescribed(field.items, `${path}.${name}[]`) : []),
  ]);
}

describe('the CRD', () => {
  it('the CRD has the fields and scenario types of a subject', () => {
    expect(spec.properties?.['lamp']?.properties).toHaveProperty('socket');
    const scenario = spec.properties?.['scenarios']?.items?.properties;
    expect(scenario?.['type']).toMatchObject({ enum: ['Flicker'] });
    expect(scenario?.['flicker']?.properties).toHaveProperty('lasts');
  });

  it('the CRD describes every field of spec and status, and shows each default', () => {
    expect([...undescribed(spec, 'spec'), ...undescribed(status, 'status')]).toEqual([]);
    expect(spec.properties?.['lamp']?.properties?.['brightness']?.description).toBe(
      'How bright it shines. Default: 50.',
    );
  });

  it('keys the conditions by type and closes neither types nor reasons', () => {
    const conditions = status.properties?.['conditions'];
    expect(conditions?.['x-kubernetes-list-map-keys']).toEqual(['type']);
    expect(conditions?.items?.properties?.['type']).not.toHaveProperty('enum');
    expect(conditions?.items?.properties?.['reason']).not.toHaveProperty('enum');
  });
});
