/** Lists of fields for the reference, from the schema of the CRD. Pure. */
import { DURATION_PATTERN } from '@chaosdemo/settings/duration';
import { code, definitions } from './markdown.ts';

/** The part of an OpenAPI schema shown in the reference. */
export interface FieldSchema {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: readonly string[];
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  maxProperties?: number;
  required?: readonly string[];
  properties?: Readonly<Record<string, FieldSchema>>;
  items?: FieldSchema;
  additionalProperties?: FieldSchema;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-validations'?: readonly { message?: string }[];
}

interface Field {
  path: string;
  schema: FieldSchema;
  required: boolean;
}

/** Each field of the spec below `path`, with its type, bounds and default. */
export function specFields(schema: FieldSchema, path: string): string {
  return definitions(
    fieldsOf(schema, path).map(({ path, schema, required }) => {
      const type = [
        kindOf(schema),
        ...boundsOf(schema),
        ...(required ? ['**required**'] : defaultOf(schema.default)),
      ];
      return [`${code(path)} (${type.join(', ')})`, descriptionOf(schema)];
    }),
  );
}

/** Each field of the status below `path`, except those below `without`. Its bounds are in the CRD. */
export function statusFields(schema: FieldSchema, path: string, without: string): string {
  return definitions(
    fieldsOf(schema, path)
      .filter(({ path }) => !path.startsWith(`${without}.`))
      .map(({ path, schema }) => [`${code(path)} (${kindOf(schema)})`, descriptionOf(schema)]),
  );
}

/**
 * The fields below a schema, each before its own fields; `[]` after a path means every item of a list. A field that has
 * appeared before is only named, if it has fields or that is shorter.
 */
function fieldsOf(schema: FieldSchema, path: string, before = new Map<string, string>()): Field[] {
  const { items, properties = {}, required = [] } = schema;
  const below = Object.entries(properties).flatMap(([name, field]) => {
    const own = { path: `${path}.${name}`, required: required.includes(name) };
    const text = JSON.stringify(field);
    const description = `As ${code(before.get(text) ?? '')}.`;
    const hasFields = Boolean(field.properties ?? field.items?.properties);
    if (before.has(text) && (hasFields || description.length < descriptionOf(field).length)) {
      return [{ ...own, schema: { ...field, description } }];
    }
    before.set(text, own.path);
    return [{ ...own, schema: field }, ...fieldsOf(field, own.path, before)];
  });
  if (!items) return below;
  return [...below, ...fieldsOf(items, `${path}[]`, before)];
}

/** The values of an enumeration, or the type. */
function kindOf(schema: FieldSchema): string {
  return schema.enum ? schema.enum.map(code).join(', ') : typeOf(schema);
}

function typeOf(schema: FieldSchema): string {
  if (schema['x-kubernetes-int-or-string'] === true) return 'integer or string';
  if (isDuration(schema)) return 'duration';
  if (schema.format === 'date-time') return 'time';
  if (schema.items) return `${typeOf(schema.items)}[]`;
  if (schema.additionalProperties) return `map of ${typeOf(schema.additionalProperties)}`;
  return schema.type ?? '';
}

/** The format of a duration is described above the list. */
function descriptionOf(schema: FieldSchema): string {
  // The default, which `structural` appends, has a place of its own.
  const description = (schema.description ?? '').replace(/ Default: [^ ]+\.$/, '');
  return isDuration(schema) ? description.replace(/ A duration from .*$/, '') : description;
}

/** An empty object as default only means that the defaults of its fields apply. */
function defaultOf(value: unknown): string[] {
  if (value === undefined) return [];
  if (value === '') return ['default empty'];
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text === '{}' ? [] : [`default ${code(text)}`];
}

function boundsOf(schema: FieldSchema): string[] {
  if (isDuration(schema))
    return (schema['x-kubernetes-validations'] ?? []).map(({ message = '' }) =>
      message.replace(/^must be from (\S+) to (\S+)$/, '`$1` to `$2`'),
    );
  const { items } = schema;
  return [
    ...range(schema.minimum, schema.maximum, ''),
    ...range(schema.minItems, schema.maxItems, ' items'),
    ...range(undefined, schema.maxProperties, ' entries'),
    ...(items && !items.properties ? boundsOf(items).map((bound) => `each ${bound}`) : []),
  ];
}

function range(min: number | undefined, max: number | undefined, unit: string): string[] {
  if (min === undefined && max === undefined) return [];
  if (min === undefined) return [`≤ ${max}${unit}`];
  return [max === undefined ? `≥ ${min}${unit}` : `${min}–${max}${unit}`];
}

function isDuration(schema: FieldSchema): boolean {
  return schema.pattern === DURATION_PATTERN.source;
}
