/**
 * JSON schemas for kubeconform, made of what is at hand: kinds of Kubernetes from
 * the OpenAPI document of the API server, all others from their CRDs. Objects are
 * closed, so that an unknown field is an error.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { objectsOf } from './render.ts';

type Json = Record<string, unknown>;

/** Where kubeconform finds a schema below the folder that these functions write to. */
export const SCHEMA_PATTERN = '{{ .Group }}_{{ .ResourceAPIVersion }}_{{ .ResourceKind }}.json';

/** Kinds of Kubernetes itself, from its document of OpenAPI v2. */
export async function writeKubernetesSchemas(folder: string, openapi: string): Promise<void> {
  const { definitions } = JSON.parse(openapi) as { definitions: Record<string, Json> };
  await writeFile(join(folder, 'definitions.json'), JSON.stringify({ definitions: closed(definitions) }));
  for (const [name, definition] of Object.entries(definitions)) {
    const kinds = (definition['x-kubernetes-group-version-kind'] ?? []) as Record<
      'group' | 'kind' | 'version',
      string
    >[];
    // Lists of options and the like belong to many groups and are never applied as objects.
    if (kinds.length !== 1) continue;
    for (const { group, version, kind } of kinds) {
      await write(folder, group, version, kind, { $ref: `definitions.json#/definitions/${name}` });
    }
  }
}

/** Kinds that are defined by CRDs. */
export async function writeCrdSchemas(folder: string, crds: string): Promise<void> {
  for (const object of objectsOf(crds)) {
    const { group, names, versions } = (object as unknown as { spec: CrdSpec }).spec;
    for (const { name, schema } of versions) {
      await write(folder, group, name, names.kind, closed(schema.openAPIV3Schema) as Json);
    }
  }
}

interface CrdSpec {
  readonly group: string;
  readonly names: { readonly kind: string };
  readonly versions: readonly {
    readonly name: string;
    readonly schema: { readonly openAPIV3Schema: Json };
  }[];
}

async function write(
  folder: string,
  group: string,
  version: string,
  kind: string,
  schema: Json,
): Promise<void> {
  // The core group has no name; kubeconform then takes the version for one.
  await writeFile(
    join(folder, `${group || version}_${version}_${kind.toLowerCase()}.json`),
    JSON.stringify(schema),
  );
}

function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const schema = Object.fromEntries<unknown>(
    Object.entries(value).map(([name, member]) => [name, closed(member)]),
  );
  const either = schema['x-kubernetes-int-or-string'] === true || schema['format'] === 'int-or-string';
  if (either || isQuantity(schema)) {
    const { description } = schema;
    return { ...(description === undefined ? {} : { description }), type: ['integer', 'number', 'string'] };
  }
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true || 'additionalProperties' in schema;
  if (isRecord(schema['properties']) && schema['type'] === 'object' && !open)
    schema['additionalProperties'] = false;
  return schema;
}

/** Only its description distinguishes a quantity from any other string. */
function isQuantity({ type, description }: Json): boolean {
  return (
    type === 'string' &&
    typeof description === 'string' &&
    description.startsWith('Quantity is a fixed-point')
  );
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
