/** Lists in the documentation name what the code has. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FAULT_TYPES } from '@chaosdemo/redis-faults';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { historyEvent } from '../src/subjects/history/events.ts';
import { REDIS_RELEASES } from './offline/redis-releases.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const read = (file: string): string => readFileSync(root + file, 'utf8');

it('docs/faults.md has a row for each mechanism of each type of fault', () => {
  const rows = [...read('docs/faults.md').matchAll(/^\| `(\w+)`/gm)].map(([, type]) => type);
  const mechanisms = FAULT_TYPES.flatMap(({ mechanisms, type }) => Object.keys(mechanisms).map(() => type));
  expect(rows.toSorted()).toEqual(mechanisms.toSorted());
});

it('docs/evidence.md lists every kind of event of a history', () => {
  const [, list = ''] = /`kind` of an event:\n([^]*?)\n`outcome`/.exec(read('docs/evidence.md')) ?? [];
  const listed = [...list.matchAll(/^- ((?:`[\w-]+`(?:, )?)+):/gm)].flatMap(([, names = '']) =>
    names.replaceAll('`', '').split(', '),
  );
  const schema = JSON.stringify(z.toJSONSchema(historyEvent));
  const kinds = new Set(
    [...schema.matchAll(/"kind":\{"type":"string","const":"([\w-]+)"/g)].map(([, kind]) => kind),
  );
  expect(listed.toSorted()).toEqual([...kinds].toSorted());
});

interface Role {
  readonly rules?: readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
}

it('docs/install.md lists the rights of the operator as its roles have them', () => {
  const [, section = ''] = /## Rights of the operator\n([^]*?)\n## /.exec(read('docs/install.md')) ?? [];
  const listed = [...section.matchAll(/((?:[a-z]+, )*[a-z]+) `([a-z/]+)`/g)].map(
    ([, verbs, resource]) => `${verbs} ${resource}`,
  );
  const roles = ['cluster-role', 'role', 'target-cluster-role'].flatMap((name) =>
    parseAllDocuments(read(`manifests/operator/${name}.yaml`)).map((document) => document.toJS() as Role),
  );
  const rights = roles.flatMap(({ rules = [] }) =>
    rules.map(({ resources, verbs }) => `${verbs.join(', ')} ${resources.join()}`),
  );
  expect(listed).toEqual(rights);
});

const versionsOf = (program: string): string[] =>
  REDIS_RELEASES.flatMap(({ name }) =>
    name.startsWith(program) ? name.slice(program.length + 1) : [],
  ).filter((version) => version !== '6.2');

it('README.md has the figures of docs/survey.md', () => {
  const [text, survey] = ['README.md', 'docs/survey.md'].map((page) => read(page).replaceAll(/\s+/g, ' '));
  const [, limiters] = /of (\d+) limiters: \1 Hangs/.exec(survey ?? '') ?? [];
  const [, most, sent] = /largest figure is (\d+) of about (\d+) sent/.exec(survey ?? '') ?? [];
  expect(text).toContain(`under ${limiters} open source rate limiters`);
  expect(text).toContain(`With default settings, all ${limiters} hang`);
  expect(text).toContain(`admitted up to ${most} requests beyond a limit of 20, of about ${sent} sent`);
});

it.each([
  ['Kubernetes', 'packages/testbed/go/kubernetes', 'k8s.io/kubernetes'],
  ['Helm', 'tools/helm', 'helm.sh/helm/v4'],
  ['Argo CD', 'tools/argocd', 'github.com/argoproj/argo-cd/v3'],
  ['Flux', 'tools/kustomize-controller', 'github.com/fluxcd/kustomize-controller'],
])('docs/install.md names the pinned version of %s as the one that tests run', (program, folder, module) => {
  const [, pinned = ''] = new RegExp(`${module} v(\\d+\\.\\d+)\\.`).exec(read(`${folder}/go.mod`)) ?? [];
  const [, run] = new RegExp(`^\\| ${program} +\\| ([^|]*\\S) +\\|`, 'm').exec(read('docs/install.md')) ?? [];
  expect(run?.split(' ').at(-1)).toBe(pinned);
});

it.each(['Redis', 'Valkey'])('docs/install.md names the versions of %s that tests run', (program) => {
  const row = new RegExp(`^\\| ${program} .*`, 'm').exec(read('docs/install.md'))?.[0];
  for (const version of versionsOf(program.toLowerCase())) expect(row?.split('|')[2]).toContain(version);
});
