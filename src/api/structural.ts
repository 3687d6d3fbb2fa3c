/** Converts a zod schema to the structural schema of a CustomResourceDefinition. */
import { z } from 'zod';

export type Schema = Record<string, unknown>;

/**
 * No `additionalProperties: false`, no unions, no `$schema`. Descriptions name the default, since `kubectl explain`
 * shows it nowhere else.
 */
export function structural(schema: z.ZodType): Schema {
  const json = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    reused: 'inline',
    cycles: 'throw',
  }) as Schema;
  return clean(json) as Schema;
}

function clean(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== 'object' || value === null) return value;
  const schema = { ...(value as Schema) };
  delete schema['$schema'];
  delete schema['propertyNames'];
  if (schema['additionalProperties'] === false) delete schema['additionalProperties'];
  if (schema['x-kubernetes-int-or-string'] === true) {
    delete schema['anyOf'];
    delete schema['type'];
  }
  if (schema['type'] === 'integer') {
    schema['format'] = 'int64';
    if (schema['minimum'] === Number.MIN_SAFE_INTEGER) delete schema['minimum'];
    if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum'];
  }
  // The patterns of zod's own formats would only repeat `format`.
  if (schema['format'] === 'date-time') delete schema['pattern'];
  if (typeof schema['description'] === 'string') schema['description'] = described(schema);
  return Object.fromEntries(Object.entries(schema).map(([name, member]) => [name, clean(member)]));
}

function described({ default: byDefault, description }: Schema): string {
  const shown =
    typeof byDefault === 'number' || typeof byDefault === 'boolean' || typeof byDefault === 'string';
  return shown && byDefault !== '' ? `${String(description)} Default: ${byDefault}.` : String(description);
}
