/** Values that a structural schema admits, for properties about what anybody may store: ordinary ones and hostile ones. */
import fc from 'fast-check';
import type { Schema } from './structural.ts';

/** Times that the API server takes for RFC 3339; not each of them is one to everybody. */
export const HOSTILE_TIMES = [
  '1970-01-01T00:00:00Z',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '2026-01-01T00:00:00+99:99',
  '2026-01-01t00:00:00z',
  '2026-01-01T00:00:00,5Z',
  '2026-01-01T00:05:00.000Z',
];

/** Texts that mean something to somebody. */
export const HOSTILE_TEXTS = [
  '',
  '__proto__',
  'constructor',
  'toString',
  '\u001b[2J\u202e\n::error::x',
  '💥'.repeat(8),
  'ſ\u0000\ufffe',
  '$(reboot)',
  '../../etc',
  '1e309',
  'null',
];

const HOSTILE_INTEGERS = [0, 1, -1, 2, 64, 1e9, 2 ** 31, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];

type Properties = Readonly<Record<string, Schema>>;

/** Any value of this schema, as JSON. Rules in CEL are not heeded. */
export function valueOf(schema: Schema): fc.Arbitrary<unknown> {
  const { enum: choices, type = 'int-or-string' } = schema as { enum?: unknown[]; type?: string };
  if (choices) return fc.constantFrom(...choices);
  switch (type) {
    case 'object':
      return objectOf(schema);
    case 'array':
      return listOf(schema);
    case 'string':
      return textOf(schema);
    case 'integer':
      return integerOf(schema);
    case 'boolean':
      return fc.boolean();
    default:
      return fc.oneof(fc.integer({ min: 0, max: 65_535 }), fc.constantFrom('http', 'x'));
  }
}

function objectOf(schema: Schema): fc.Arbitrary<unknown> {
  const { properties, required = [] } = schema as { properties?: Properties; required?: string[] };
  if (!properties)
    return fc.dictionary(fc.constantFrom('a', 'app.kubernetes.io/name'), fc.constantFrom('b', ''));
  const members = Object.fromEntries(
    Object.entries(properties).map(([name, member]) => [name, valueOf(member)]),
  );
  return fc.record(members, { requiredKeys: required });
}

function listOf(schema: Schema): fc.Arbitrary<unknown> {
  const { items, maxItems = 4 } = schema as { items: Schema; maxItems?: number };
  const keys = schema['x-kubernetes-list-map-keys'] as string[] | undefined;
  const least = (schema['minItems'] as number | undefined) ?? 0;
  const bounds = { minLength: least, maxLength: maxItems, size: 'max' as const, depthSize: 'small' as const };
  const few = { ...bounds, maxLength: Math.min(maxItems, 3) };
  const item = valueOf(items);
  if (!keys)
    return fc.oneof(
      { weight: 4, arbitrary: fc.array(item, few) },
      { weight: 1, arbitrary: fc.array(item, bounds) },
    );
  const selector = (value: unknown): string =>
    JSON.stringify(keys.map((key) => (value as Record<string, unknown>)[key]));
  return fc.oneof(
    { weight: 4, arbitrary: fc.uniqueArray(item, { ...few, selector }) },
    { weight: 1, arbitrary: fc.uniqueArray(item, { ...bounds, selector }) },
  );
}

function textOf(schema: Schema): fc.Arbitrary<string> {
  const {
    format,
    maxLength = 64,
    pattern,
  } = schema as { format?: string; maxLength?: number; pattern?: string };
  if (format === 'date-time') return fc.constantFrom(...HOSTILE_TIMES);
  const fits = (text: string): boolean =>
    text.length <= maxLength && (pattern === undefined || new RegExp(pattern, 'u').test(text));
  const known = [...HOSTILE_TEXTS, 'Detected', 'stall', 'surge', '1-stall-1', '10s', 'A', 'demo-x'].filter(
    fits,
  );
  if (pattern !== undefined) {
    const any = fc.stringMatching(new RegExp(pattern), { maxLength }).filter(fits);
    if (known.length === 0) return any;
    return fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: any });
  }
  return fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...known) },
    { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: Math.min(maxLength, 24) }).filter(fits) },
    { weight: 1, arbitrary: fc.constant('x'.repeat(maxLength)) },
  );
}

function integerOf(schema: Schema): fc.Arbitrary<number> {
  const { maximum = Infinity, minimum = -Infinity } = schema as { maximum?: number; minimum?: number };
  const fits = (value: number): boolean => value >= minimum && value <= maximum;
  const known = HOSTILE_INTEGERS.filter(fits);
  return known.length > 0 ? fc.constantFrom(...known) : fc.integer({ min: minimum, max: maximum });
}
