/** `npm run generate`: writes the CRD to crds/, where people apply it from. */
import { mkdir, writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { buildCrd } from './crd.ts';
import { GROUP, PLURAL } from './group.ts';

/** The committed text of the CRD. */
export function crdYaml(): string {
  return `# Generated from src/api by "npm run generate". Do not edit.\n${stringify(buildCrd(), { lineWidth: 110, aliasDuplicateObjects: false })}`;
}

if (import.meta.main) {
  const folder = new URL('../../crds/', import.meta.url);
  await mkdir(folder, { recursive: true });
  await writeFile(new URL(`${GROUP}_${PLURAL}.yaml`, folder), crdYaml());
}
