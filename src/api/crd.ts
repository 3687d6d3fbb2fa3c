/**
 * Generates the CustomResourceDefinition from the zod schemas and the registered subjects. `npm run generate` writes it
 * to crds/; a test compares the committed file.
 */
import { stringify } from 'yaml';
import { GROUP, KIND, PLURAL, VERSION } from './group.ts';
import { RELEASE, RELEASE_ANNOTATION } from './release.ts';
import { specSchema } from './spec.ts';
import { statusSchema } from './status.ts';
import { type Schema, structural } from './structural.ts';
import type { PrinterColumn, SubjectApi } from './subject-api.ts';

const conditionColumn = (type: string, member: 'status' | 'reason'): string =>
  `.status.conditions[?(@.type=="${type}")].${member}`;

/** The columns of `kubectl get chaosdemo`, with those of the subjects; priority 1 with `-o wide` only. */
export function printerColumns(subjects: readonly SubjectApi[] = []): PrinterColumn[] {
  return [
    {
      name: 'Phase',
      type: 'string',
      jsonPath: '.status.phase',
      description: 'State of the object; at the end, the verdict',
    },
    { name: 'Chapter', type: 'string', jsonPath: '.status.chapter', description: 'The current chapter' },
    {
      name: 'Healthy',
      type: 'string',
      jsonPath: conditionColumn('Healthy', 'status'),
      description: 'Health of the subject, by the health poller',
    },
    {
      name: 'Fault',
      type: 'string',
      jsonPath: conditionColumn('FaultActive', 'status'),
      description: 'Whether a fault is announced or active',
    },
    {
      name: 'Result',
      type: 'string',
      jsonPath: '.status.result',
      description: 'Results of the scenarios so far',
    },
    {
      name: 'Started',
      type: 'date',
      jsonPath: '.status.run.startedAt',
      description: 'When the run began that the other columns describe',
    },
    {
      name: 'Reason',
      type: 'string',
      jsonPath: conditionColumn('Ready', 'reason'),
      description: 'Why no run starts or continues, or the cause of the verdict',
      priority: 1,
    },
    {
      name: 'Run',
      type: 'integer',
      jsonPath: '.status.run.number',
      description: 'Number of the run that the other columns describe',
      priority: 1,
    },
    ...new Set(subjects.flatMap(({ columns }) => columns)),
  ];
}

/** Default of `status` itself: without it, tools based on kstatus consider an object finished before it is seen. */
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

/** The complete CustomResourceDefinition object, given the registered subjects. */
export function buildCrd(subjects: readonly SubjectApi[]): Schema {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${PLURAL}.${GROUP}`, annotations: { [RELEASE_ANNOTATION]: RELEASE } },
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
          additionalPrinterColumns: printerColumns(subjects),
          selectableFields: [{ jsonPath: '.status.phase' }],
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description:
                'A ChaosDemo injects faults into a subject, and reports the results in its status, chapter by chapter.',
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string', description: 'Version of this API.' },
                kind: { type: 'string', description: 'ChaosDemo.' },
                metadata: { type: 'object' },
                spec: structural(specSchema(subjects)),
                status: { ...structural(statusSchema), default: STATUS_DEFAULT },
              },
            },
          },
        },
      ],
    },
  };
}

/** The committed text of the CRD. */
export function crdYaml(subjects: readonly SubjectApi[]): string {
  // In YAML 1.1, read by kubectl and Helm, an unquoted Off is a boolean.
  const options = { lineWidth: 110, aliasDuplicateObjects: false, compat: 'yaml-1.1' } as const;
  return `# Generated from src/api and src/subjects by "npm run generate". Do not edit.\n${stringify(buildCrd(subjects), options)}`;
}
