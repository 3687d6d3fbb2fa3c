/** What an API server does with a ChaosDemo before it stores it: defaults, the schema, and the rules in CEL of the CRD. */
import { type Admit, Invalid } from '@chaosdemo/kube-runtime/memory';
import { Environment } from '@marcbachmann/cel-js';
import type { z } from 'zod';
import { schemasOf } from '../../api/crd.ts';
import { type ChaosDemo, KIND, specSchema } from '../../api/index.ts';
import { SUBJECTS } from '../../subjects/index.ts';

/** A part of a structural schema. */
interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  /** The only bound that zod does not know. */
  readonly minProperties?: number;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message?: string }[];
}

/** Admits ChaosDemos as their CustomResourceDefinition states it, and every other kind as it comes. */
export function admission(): Admit {
  const apis = SUBJECTS.map(({ definition }) => definition.api);
  const schema = specSchema(apis);
  const { spec, status }: { readonly spec: Schema; readonly status: { readonly default: object } } =
    schemasOf(apis);
  const cel = new Environment({ unlistedVariablesAreDyn: true });
  return (object) => {
    if (object.kind !== KIND) return object;
    const demo = object as ChaosDemo;
    const parsed = schema.safeParse(demo.spec ?? {}, { reportInput: true });
    const problems = parsed.success
      ? [...unknownFields(spec, demo.spec, 'spec'), ...brokenRules(cel, spec, parsed.data, 'spec')]
      : parsed.error.issues.map(problemOf);
    if (!parsed.success || problems.length > 0) throw new Invalid(problems.join(', '));
    return { ...demo, spec: parsed.data, status: demo.status ?? status.default };
  };
}

/** As the API server writes it. */
function problemOf({ input, message, path }: z.core.$ZodIssue): string {
  const field = ['spec', ...path].map(String).join('.');
  return input === undefined ? `${field}: Required value` : `${field}: Invalid value: ${message}`;
}

function* unknownFields(schema: Schema, value: unknown, path: string): Generator<string> {
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) yield* unknownFields(schema.items ?? {}, item, `${path}[${i}]`);
  } else if (typeof value === 'object' && value !== null && schema.properties) {
    for (const [name, member] of Object.entries(value)) {
      const part = schema.properties[name];
      if (part) yield* unknownFields(part, member, `${path}.${name}`);
      else yield `unknown field "${path}.${name}"`;
    }
  }
}

/** The messages of rules that a value does not follow, with its path. */
function* brokenRules(cel: Environment, schema: Schema, value: unknown, path: string): Generator<string> {
  for (const { message, rule } of schema['x-kubernetes-validations'] ?? []) {
    if (cel.evaluate(rule, { self: value }) !== true) yield `${path}: Invalid value: ${message ?? rule}`;
  }
  if (Array.isArray(value)) {
    const [key] = schema['x-kubernetes-list-map-keys'] ?? [];
    const names = key === undefined ? [] : value.map((item: Readonly<Record<string, unknown>>) => item[key]);
    if (new Set(names).size < names.length) yield `${path}: Duplicate value: ${names.join(', ')}`;
    for (const [i, item] of value.entries()) {
      yield* brokenRules(cel, schema.items ?? {}, item, `${path}[${i}]`);
    }
  } else if (typeof value === 'object' && value !== null) {
    const { minProperties: least = 0 } = schema;
    if (Object.keys(value).length < least) yield `${path}: Invalid value: must have at least ${least}`;
    for (const [name, member] of Object.entries(value)) {
      const part = schema.properties?.[name];
      if (part && member !== undefined) yield* brokenRules(cel, part, member, `${path}.${name}`);
    }
  }
}
