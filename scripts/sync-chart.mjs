/**
 * `npm run chart:sync`: writes those files of the Helm chart that say what another file
 * of this repository says already: the CRD, the rights, the rate limiter, the sample, the alerts, the dashboard.
 * `npm run chart:check` writes nothing and fails where one of them is not up to date.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownSettings } from '@chaosdemo/settings';
import { boolean } from '@chaosdemo/settings/values';
import { parseAllDocuments, stringify } from 'yaml';
import { aclLines } from '../src/local/redis-users.ts';
import { dashboardJson } from './dashboard.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));
const chart = 'helm/chaosdemo-operator';
const { check } = ownSettings({
  about:
    'Usage: npm run chart:sync | npm run chart:check\n\nWrites those files of the Helm chart that repeat others.',
  settings: {
    check: {
      ...boolean,
      help: 'Write nothing, and fail where one is not up to date',
      fallback: 'false',
    },
  },
});

const { version } = JSON.parse(await read('package.json'));
const files = {
  'Chart.yaml': replaced(await read(`${chart}/Chart.yaml`), [
    [/^version: .*$/m, `version: ${version}`],
    [/^appVersion: .*$/m, `appVersion: "${version}"`],
  ]),
  'templates/crd.yaml': await crdTemplate(),
  'templates/limiter.yaml': await limiterTemplate(),
  'templates/redis.yaml': await redisTemplate(),
  'templates/limiter-network-policy.yaml': await limiterNetworkPolicyTemplate(),
  'files/rules.yaml': await rules(),
  'files/redis.conf': await read('manifests/ratelimiter/base/redis.conf'),
  'files/users.acl': usersWithoutPasswords(),
  'files/demo.yaml': await read('manifests/samples/demo.yaml'),
  'files/alerts.yaml': await read('manifests/monitoring/alerts.yaml'),
  'files/dashboard.json': dashboardJson(),
};

const stale = [];
for (const [name, content] of Object.entries(files)) {
  const path = `${chart}/${name}`;
  if ((await read(path).catch(() => undefined)) === content) continue;
  stale.push(path);
  if (check) continue;
  await mkdir(dirname(`${root}${path}`), { recursive: true });
  await writeFile(`${root}${path}`, content);
}
for (const path of stale) process.stdout.write(`${check ? 'not up to date' : 'written'}: ${path}\n`);
if (check && stale.length > 0) {
  process.stderr.write('Write them with: npm run chart:sync\n');
  process.exitCode = 1;
}

async function read(path) {
  return await readFile(`${root}${path}`, 'utf8');
}

/** A template rather than a file of the chart's crds folder, which `helm upgrade` never touches again. */
async function crdTemplate() {
  const text = literal(await read('crds/chaosdemo.dev_chaosdemos.yaml'));
  const annotations = '  annotations:\n';
  return guarded(
    '.Values.crds.install',
    'crds/chaosdemo.dev_chaosdemos.yaml',
    replaced(text.replace(/^# Generated.*\n/, ''), [
      [
        annotations,
        `${annotations}    {{- if .Values.crds.keep }}\n    helm.sh/resource-policy: keep\n    {{- end }}\n`,
      ],
    ]),
  );
}

async function limiterTemplate() {
  return await ofRateLimiter('limiter.yaml', '.Values.limiter.enabled', [
    [/image: chaosdemo\.dev\/\S+/, 'image: {{ include "chaosdemo-operator.image" . | quote }}'],
    [/imagePullPolicy: \S+/, 'imagePullPolicy: {{ .Values.image.pullPolicy }}'],
    [
      '            - name: PORT\n',
      '            - name: LIMITER_MODE\n              value: {{ .Values.limiter.mode }}\n            - name: PORT\n',
    ],
  ]);
}

async function redisTemplate() {
  // Redis reads both files at its start only.
  const checksum = '{{ print (.Files.Get "files/users.acl") (.Files.Get "files/redis.conf") | sha256sum }}';
  const workload = await ofRateLimiter('redis.yaml', '.Values.limiter.enabled', [
    [/image: docker\.io\/\S+/, 'image: {{ .Values.limiter.redisImage | quote }}'],
    [
      '    metadata:\n      labels:\n',
      `    metadata:\n      annotations:\n        checksum/config: ${checksum}\n      labels:\n`,
    ],
  ]);
  const configMap = [
    '---',
    'apiVersion: v1',
    'kind: ConfigMap',
    'metadata:',
    '  name: redis-config',
    '  namespace: ratelimiter',
    'data:',
    '  redis.conf: |',
    '    {{- .Files.Get "files/redis.conf" | nindent 4 }}',
  ].join('\n');
  return workload.replace(/\{\{- end \}\}\n$/, `${configMap}\n{{- end }}\n`);
}

async function limiterNetworkPolicyTemplate() {
  return await ofRateLimiter(
    'network-policy.yaml',
    'and .Values.limiter.enabled .Values.networkPolicy.enabled',
    [['metadata.name: chaosdemo-system', 'metadata.name: {{ .Release.Namespace }}']],
  );
}

/** A file of manifests/ratelimiter/base; there kustomize adds the namespace. */
async function ofRateLimiter(name, condition, replacements) {
  const source = `manifests/ratelimiter/base/${name}`;
  const text = literal(await read(source)).replaceAll(
    /^metadata:\n {2}name: \S+\n/gm,
    (head) => `${head}  namespace: ratelimiter\n`,
  );
  return guarded(condition, source, replaced(text, replacements));
}

/** The rules of all roles, so that the chart can never grant something else. */
async function rules() {
  const paths = ['operator/cluster-role.yaml', 'operator/target-cluster-role.yaml', 'operator/role.yaml'];
  const roles = {};
  for (const path of paths) {
    for (const document of parseAllDocuments(await read(`manifests/${path}`))) {
      const object = document.toJS();
      const isOwn = object.kind === 'Role' && object.metadata.name === 'chaosdemo-operator';
      if (object.rules) roles[isOwn ? 'role' : object.metadata.name] = object.rules;
    }
  }
  return `# Generated from manifests by "npm run chart:sync". Do not edit.\n${stringify(roles)}`;
}

/** The ACL with a mark where each password belongs; the template puts a hash there. */
function usersWithoutPasswords() {
  const user = (username) => ({ username, password: `@${username}@` });
  const lines = aclLines({
    limiter: user('limiter'),
    operator: user('chaosdemo-operator'),
    observer: user('observer'),
    admin: user('admin'),
  });
  // Nobody needs every right in a cluster.
  return `${lines.filter((line) => !line.startsWith('user admin ')).join('\n')}\n`;
}

function guarded(condition, source, text) {
  return `{{- /* Generated from ${source} by "npm run chart:sync". Do not edit. */}}\n{{- if ${condition} }}\n${text}{{- end }}\n`;
}

/** @throws if Helm would take part of the text for a directive of its own */
function literal(text) {
  if (text.includes('{{')) throw new Error('the source holds "{{", which Helm would not take literally');
  return text;
}

/** @throws if something to be replaced is not there (any more) */
function replaced(text, replacements) {
  let result = text;
  for (const [what, by] of replacements) {
    const next = result.replace(what, () => by);
    if (next === result && !result.includes(by)) throw new Error(`nothing matches ${String(what)}`);
    result = next;
  }
  return result;
}
