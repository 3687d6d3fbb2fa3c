/** The CustomResourceDefinition, of the zod schemas and the registered subjects. */
import { stringify } from 'yaml';
import { printerColumns, schemasOf } from '../../src/api/crd.ts';
import {
  GROUP,
  KIND,
  PLURAL,
  RELEASE,
  RELEASE_ANNOTATION,
  type SubjectApi,
  VERSION,
} from '../../src/api/index.ts';

/** The complete CustomResourceDefinition object, given the registered subjects. */
function buildCrd(subjects: readonly SubjectApi[]): object {
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
                ...schemasOf(subjects),
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
