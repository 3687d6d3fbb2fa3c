/** The Helm chart: what it renders, what it refuses, and that it says the same as the manifests. */
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseProfiles } from '../../src/diagnosis/models/profiles.ts';
import { runProgram, tool } from '../kit/program.ts';
import { CHART_VALUES, chart, helmTemplate, objectsOf, root, runHelmTemplate } from './support/render.ts';

/** A profile that names a model and where it is. */
const MODEL = {
  name: 'm',
  kind: 'openai-compatible',
  baseURL: 'https://models.example/v1',
  model: 'm',
  egress: { port: 443 },
};

let helm: string;

beforeAll(async () => {
  helm = await tool('helm');
});

describe('the chart', () => {
  it('is up to date with what it is generated from', async () => {
    const { status, stdout } = await runProgram(process.execPath, [
      `${root}scripts/sync-chart.mjs`,
      '--check',
    ]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  });

  it.each(Object.entries(CHART_VALUES))('passes helm lint with values: %s', async (_, values) => {
    const cluster = ['--kube-version', 'v1.36.0'];
    // The sample needs the CRD in the cluster, of which lint has none.
    const { stdout, status } = await runProgram(
      helm,
      ['lint', '--strict', ...cluster, '--values', '-', chart],
      {
        input: JSON.stringify({ ...values, demo: { enabled: false } }),
      },
    );
    expect(stdout).toContain('1 chart(s) linted, 0 chart(s) failed');
    expect(status).toBe(0);
  });

  it.each(Object.entries(CHART_VALUES))('renders as recorded with values: %s', async (name, values) => {
    const rendered = await helmTemplate(helm, values);
    await expect(withoutSchema(rendered)).toMatchFileSnapshot(`golden/${name}.yaml`);
  });

  it('has the CRD as it is, and keeps it on uninstall by default', async () => {
    const shipped = parse(await readFile(`${root}crds/chaosdemo.dev_chaosdemos.yaml`, 'utf8')) as {
      spec: object;
    };
    const kept = crdOf(await helmTemplate(helm, {}));
    const taken = crdOf(await helmTemplate(helm, { crds: { keep: false } }));
    expect(kept?.spec).toEqual(shipped.spec);
    expect(kept?.metadata.annotations).toHaveProperty(['helm.sh/resource-policy'], 'keep');
    expect(taken?.metadata.annotations).not.toHaveProperty(['helm.sh/resource-policy']);
  });

  it.each([
    [{ replicas: -1 }, '/replicas'],
    [{ limiter: { enable: true } }, "'enable' not allowed"],
    [{ limiter: { mode: 'sloppy' } }, '/limiter/mode'],
    [{ image: { repository: 'x', digest: 'sha256:1' } }, '/image/digest'],
    [{ enabledNamespaces: ['Shop'] }, '/enabledNamespaces/0'],
    [{ networkPolicy: { apiServerCIDRs: ['10.0.0.1'] } }, '/networkPolicy/apiServerCIDRs/0'],
    [{ diagnosis: { profiles: [{ name: 'x', kind: 'rules' }] } }, '/diagnosis/profiles/0'],
    [{ diagnosis: { profiles: [{ ...MODEL, name: 'rules' }] } }, '/diagnosis/profiles/0/name'],
    [{ diagnosis: { profiles: [{ ...MODEL, apiKey: 'secret' }] } }, "'apiKey' not allowed"],
    [{ diagnosis: { profiles: [{ ...MODEL, egress: {} }] } }, '/diagnosis/profiles/0/egress'],
    [{ diagnosis: { profiles: [{ ...MODEL, tokensPerDay: 0 }] } }, '/diagnosis/profiles/0/tokensPerDay'],
    [{ metrics: { serviceMonitor: { enable: true } } }, "'enable' not allowed"],
    [
      { metrics: { prometheusRule: { docsUrl: 'https://git.example.com/' } } },
      '/metrics/prometheusRule/docsUrl',
    ],
    [{ demo: { enabled: true } }, 'demo.enabled needs limiter.enabled=true'],
  ])('refuses %j and says where', async (values, what) => {
    const { status, stderr } = await runHelmTemplate(helm, values);
    expect(status).toBe(1);
    expect(stderr).toContain(what);
  });

  it.each([
    'x"\n      hostNetwork: true\n#',
    "x'\n---\nkind: Namespace\napiVersion: v1\nmetadata: {name: y}\n",
    '{{ .Values.secret }}',
    '&a [*a]',
    '!!binary eA==',
    '0x10',
  ])('takes a text for nothing but a text, wherever the schema permits it: %j', async (hostile) => {
    const rendered = await Promise.all(
      [hostile, 'harmless'].map(async (text) => objectsOf(await helmTemplate(helm, textsOf(text)))),
    );
    const [found, expected] = rendered.map((objects) => JSON.stringify(objects));
    const inJson = JSON.stringify(hostile).slice(1, -1);
    expect(found?.replaceAll(inJson, 'harmless')).toBe(expected);
  });

  it('writes a file of profiles that the operator reads, and mounts what it names', async () => {
    const rendered = await helmTemplate(helm, CHART_VALUES.everything);
    const file = objectsOf(rendered).find(({ metadata }) => metadata.name === 'chaosdemo-operator-diagnosis');
    const written = (file as { data?: Record<string, string> } | undefined)?.data?.['profiles.yaml'] ?? '';
    const profiles = parseProfiles(parse(written));
    expect(profiles).toMatchObject([
      { name: 'hosted', apiKeyFile: '/etc/chaosdemo/diagnosis/hosted/key/anthropic' },
      { name: 'vllm', caFile: '/etc/chaosdemo/diagnosis/vllm/ca/ca.crt', maxInputTokens: 1_000_000 },
      { name: 'open' },
    ]);
    const operator = objectsOf(rendered).find(
      ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'chaosdemo-operator',
    ) as unknown as { spec: { template: { spec: Mounted } } };
    const { containers, volumes = [] } = operator.spec.template.spec;
    const mounts = containers[0]?.volumeMounts ?? [];
    expect(mounts.map(({ mountPath }) => mountPath)).toEqual([
      '/etc/chaosdemo/diagnosis-profiles',
      '/etc/chaosdemo/diagnosis/hosted',
      '/etc/chaosdemo/diagnosis/vllm',
    ]);
    expect(volumes.map(({ name }) => name)).toEqual(mounts.map(({ name }) => name));
  });

  it('each chart installation has its own passwords, and Redis only their hashes', async () => {
    const render = async () =>
      objectsOf(await helmTemplate(helm, { limiter: { enabled: true } })).filter(
        ({ kind }) => kind === 'Secret',
      );
    const [first, second] = await Promise.all([render(), render()]);
    expect(first.map(({ metadata }) => metadata.name).sort()).toEqual([
      'redis-auth',
      'redis-limiter',
      'redis-observer',
      'redis-users',
    ]);
    const passwordOf = (secrets: typeof first): string | undefined =>
      (secrets.find(({ metadata }) => metadata.name === 'redis-auth') as Secret | undefined)?.stringData[
        'password'
      ];
    expect(passwordOf(first)).toMatch(/^\w{32}$/);
    expect(passwordOf(second)).not.toBe(passwordOf(first));
    expect(JSON.stringify(first.find(({ metadata }) => metadata.name === 'redis-users'))).not.toContain(
      passwordOf(first),
    );
  });
});

/** Values with this text in every place that takes any. */
function textsOf(text: string): object {
  const labels = { label: text };
  return {
    image: { repository: text, tag: text },
    imagePullSecrets: [{ name: text }],
    nodeSelector: labels,
    networkPolicy: { dnsNamespaceLabels: labels, dnsPodLabels: labels },
    metrics: {
      serviceMonitor: { enabled: true, labels },
      prometheusRule: { enabled: true, labels },
      dashboard: { enabled: true, labels },
    },
    // Its passwords differ each time.
    limiter: { enabled: true, redisImage: text, createSecrets: false },
  };
}

type Secret = { kind: string; metadata: { name: string }; stringData: Record<string, string> };

function crdOf(manifest: string) {
  const crd = objectsOf(manifest).find(({ kind }) => kind === 'CustomResourceDefinition');
  return crd as { spec: object; metadata: { annotations?: object } } | undefined;
}

/** The schema of the CRD is compared elsewhere; here it would drown everything else. */
function withoutSchema(manifest: string): string {
  return manifest.replace(/^( +)openAPIV3Schema:\n(?:\1 +.*\n|\n)+/m, '$1openAPIV3Schema: {} # left out\n');
}

interface Mounted {
  containers: readonly { volumeMounts?: readonly { name: string; mountPath: string }[] }[];
  volumes?: readonly { name: string }[];
}
