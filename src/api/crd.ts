/**
 * Makes the CustomResourceDefinition from the zod schemas. `npm run generate`
 * writes it to crds/; a test compares the committed file.
 */
import { z } from 'zod';
import { GROUP, KIND, PLURAL, VERSION } from './group.ts';
import { specSchema } from './spec.ts';
import { statusSchema } from './status.ts';

type Schema = Record<string, unknown>;

/** What `kubectl get chaosdemo` shows; priority 1 with `-o wide` only. */
export const PRINTER_COLUMNS = [
  {
    name: 'Phase',
    type: 'string',
    jsonPath: '.status.phase',
    description: 'Where it stands, then the verdict',
  },
  { name: 'Chapter', type: 'string', jsonPath: '.status.chapter', description: 'The chapter on show' },
  { name: 'Progress', type: 'string', jsonPath: '.status.progress', description: 'Chapter of chapters' },
  {
    name: 'Healthy',
    type: 'string',
    jsonPath: '.status.conditions[?(@.type=="Healthy")].status',
    description: 'What the health poller sees',
  },
  {
    name: 'Expected',
    type: 'string',
    jsonPath: '.status.expected',
    description: 'Scenarios that met their expectation',
  },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  {
    name: 'Run',
    type: 'integer',
    jsonPath: '.status.run.number',
    description: 'Number of the run',
    priority: 1,
  },
  {
    name: 'Drift',
    type: 'string',
    jsonPath: '.status.scenarios[?(@.type=="CounterDrift")].summary',
    description: 'Drift of the counters against what is allowed',
    priority: 1,
  },
  {
    name: 'Admitted',
    type: 'string',
    jsonPath: '.status.scenarios[?(@.type=="GhostAllowing")].summary',
    description: 'Requests admitted against the limit',
    priority: 1,
  },
  {
    name: 'Message',
    type: 'string',
    jsonPath: '.status.message',
    description: 'What happens now',
    priority: 1,
  },
];

/**
 * Default of `status` itself: without it, tools that follow kstatus take an
 * object that no operator has seen yet for finished.
 */
const STATUS_DEFAULT = {
  observedGeneration: -1,
  phase: 'Pending',
  conditions: [
    {
      type: 'Ready',
      status: 'Unknown',
      reason: 'Pending',
      message: 'Waiting for the operator',
      lastTransitionTime: '1970-01-01T00:00:00Z',
    },
  ],
};

/** The complete CustomResourceDefinition object. */
export function buildCrd(): Schema {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${PLURAL}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: KIND,
        listKind: `${KIND}List`,
        plural: PLURAL,
        singular: KIND.toLowerCase(),
        shortNames: ['cdemo'],
        categories: ['chaos'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          additionalPrinterColumns: PRINTER_COLUMNS,
          selectableFields: [{ jsonPath: '.status.phase' }],
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description:
                'A ChaosDemo puts a rate limiter through real failures, chapter by chapter, and tells in its status what happened.',
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string', description: 'Version of this API.' },
                kind: { type: 'string', description: 'ChaosDemo.' },
                metadata: { type: 'object' },
                spec: structural(specSchema),
                status: { ...structural(statusSchema), default: STATUS_DEFAULT },
              },
            },
          },
        },
      ],
    },
  };
}

/** A zod schema as structural schema (no `additionalProperties: false`, no unions, no `$schema`). */
function structural(schema: z.ZodType): Schema {
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
  delete schema.$schema;
  delete schema.propertyNames;
  if (schema.additionalProperties === false) delete schema.additionalProperties;
  if (schema['x-kubernetes-int-or-string'] === true) {
    delete schema.anyOf;
    delete schema.type;
  }
  if (schema.type === 'integer') {
    schema.format = 'int64';
    if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
    if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  }
  // The patterns of zod's own formats would only repeat what `format` says.
  if (schema.format === 'date-time') delete schema.pattern;
  return Object.fromEntries(Object.entries(schema).map(([name, member]) => [name, clean(member)]));
}
