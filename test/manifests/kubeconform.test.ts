/** Every object that is shipped, held against the schema of its kind. */
import { readdirSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { adminKubectl } from '../kit/control-plane.ts';
import { folderOfFile } from '../kit/folder.ts';
import { crdsOf, runProgram, tool } from '../kit/program.ts';
import { CHART_VALUES, helmTemplate, KUSTOMIZATIONS, kustomize, objectsOf, root } from './support/render.ts';
import { SCHEMA_PATTERN, writeCrdSchemas, writeKubernetesSchemas } from './support/schemas.ts';

const schemas = folderOfFile();
let kubeconform: string;
let helm: string;

beforeAll(async () => {
  kubeconform = await tool('kubeconform');
  helm = await tool('helm');
  await writeKubernetesSchemas(schemas, await adminKubectl().run(['get', '--raw', '/openapi/v2']));
  await writeCrdSchemas(schemas, await readFile(`${root}crds/chaosdemo.dev_chaosdemos.yaml`, 'utf8'));
  for (const name of [
    'argocd',
    'kustomize-controller',
    'prometheus-operator',
    'source-controller',
  ] as const) {
    const folder = await crdsOf(name);
    const files = await readdir(folder);
    for (const file of files) await writeCrdSchemas(schemas, await readFile(join(folder, file), 'utf8'));
  }
});

/** What kubeconform has to say about a manifest; empty: all is valid and every kind was known. */
async function complaints(manifest: string): Promise<string> {
  const { status, stdout, stderr } = await runProgram(
    kubeconform,
    ['-strict', '-summary', '-schema-location', `${schemas}/${SCHEMA_PATTERN}`, '-'],
    { input: manifest },
  );
  const looked = /Valid: (\d+)/.exec(stdout)?.[1];
  if (status === 0 && Number(looked) === objectsOf(manifest).length) return '';
  return `${stdout}${stderr}`;
}

describe('kubeconform', () => {
  it.each(KUSTOMIZATIONS)('has nothing against %s', async (folder) => {
    expect(await complaints(await kustomize(folder))).toBe('');
  });

  it.each(readdirSync(`${root}manifests/samples`))('has nothing against the sample %s', async (file) => {
    expect(await complaints(await readFile(`${root}manifests/samples/${file}`, 'utf8'))).toBe('');
  });

  it('has nothing against what teaches Argo CD', async () => {
    expect(await complaints(await readFile(`${root}manifests/gitops/argocd/argocd-cm.yaml`, 'utf8'))).toBe(
      '',
    );
  });

  it.each(Object.entries(CHART_VALUES))(
    'has nothing against the chart with values: %s',
    async (_, values) => {
      expect(await complaints(await helmTemplate(helm, values))).toBe('');
    },
  );
});
