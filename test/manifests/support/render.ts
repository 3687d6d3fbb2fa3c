/** What is shipped for clusters, as it would be applied. */
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { adminKubectl } from '../../kit/control-plane.ts';
import { runProgram } from '../../kit/program.ts';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const chart = `${root}helm/chaosdemo-operator`;

/** Every folder that people apply with `kubectl apply -k`. */
export const KUSTOMIZATIONS = [
  'crds',
  'manifests/operator',
  'manifests/operator/enable-namespace',
  'manifests/operator-with-models',
  'manifests/model',
  'manifests/ratelimiter/overlays/approximate',
  'manifests/ratelimiter/overlays/strict',
  'manifests/ratelimiter/overlays/fault-proxy',
  'manifests/gitops/flux',
  'manifests/gitops/argocd',
  'manifests/gitops/pipeline',
] as const;

/** Values of the chart that together reach every template and every branch in one. */
export const CHART_VALUES = {
  default: {},
  everything: {
    image: { repository: 'registry.example.com/chaosdemo-operator', digest: `sha256:${'0'.repeat(64)}` },
    imagePullSecrets: [{ name: 'registry' }],
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ key: 'chaos', operator: 'Exists' }],
    logLevel: 'debug',
    watchNamespaces: ['ratelimiter', 'shop'],
    enabledNamespaces: ['shop'],
    diagnosis: {
      profiles: [
        {
          name: 'hosted',
          kind: 'anthropic',
          baseURL: 'https://api.anthropic.com/v1',
          model: 'large',
          apiKeySecret: { name: 'diagnosis-keys', key: 'anthropic' },
          egress: { port: 443, cidrs: ['203.0.113.0/24'] },
        },
        {
          name: 'vllm',
          kind: 'openai-compatible',
          baseURL: 'https://vllm.models.svc:8443/v1',
          model: 'small',
          apiKeySecret: { name: 'diagnosis-keys', key: 'vllm' },
          caConfigMap: { name: 'cluster-ca', key: 'ca.crt' },
          maxInputTokens: 1_000_000,
          egress: {
            port: 8443,
            namespaceLabels: { 'kubernetes.io/metadata.name': 'models' },
            podLabels: { app: 'vllm' },
          },
        },
        {
          name: 'open',
          kind: 'openai-compatible',
          baseURL: 'http://10.0.0.9:11434/v1',
          model: 's',
          egress: { port: 11434 },
        },
      ],
    },
    crds: { keep: false },
    networkPolicy: {
      apiServerCIDRs: ['10.96.0.1/32', '172.18.0.2/32'],
      apiServerPorts: [443],
      dnsNamespaceLabels: { 'kubernetes.io/metadata.name': 'kube-system' },
      dnsPodLabels: { 'k8s-app': 'kube-dns' },
    },
    metrics: {
      serviceMonitor: { enabled: true, interval: '15s', labels: { release: 'prometheus' } },
      prometheusRule: {
        enabled: true,
        labels: { release: 'prometheus' },
        docsUrl: 'https://git.example.com/chaosdemo/blob/main',
      },
      dashboard: { enabled: true },
    },
    limiter: { enabled: true, mode: 'strict', createSecrets: false },
    demo: { enabled: true },
  },
  'without-crd-and-network-policies': {
    crds: { install: false },
    networkPolicy: { enabled: false },
    limiter: { enabled: true, createSecrets: false },
  },
} as const;

export async function kustomize(folder: string): Promise<string> {
  return await adminKubectl().run(['kustomize', `${root}${folder}`]);
}

/** `helm template` of the chart. Throws with what Helm said. */
export async function helmTemplate(helm: string, values: object): Promise<string> {
  const { status, stdout, stderr } = await runHelmTemplate(helm, values);
  if (status !== 0) throw new Error(`helm template ended with ${status}: ${stderr}`);
  return stdout;
}

/** As {@link helmTemplate}, for values that may be refused. */
export async function runHelmTemplate(helm: string, values: object) {
  const args = ['template', 'chaosdemo', chart, '--namespace', 'chaosdemo-system', '--values', '-'];
  const cluster = ['--kube-version', 'v1.36.0', '--api-versions', 'chaosdemo.dev/v1alpha1/ChaosDemo'];
  return await runProgram(helm, [...args, ...cluster], { input: JSON.stringify(values) });
}

/** The objects in YAML documents. */
export function objectsOf(manifest: string): { kind: string; metadata: { name: string } }[] {
  return parseAllDocuments(manifest).flatMap((document) => {
    const object = document.toJS() as { kind: string; metadata: { name: string } } | null;
    return object ? [object] : [];
  });
}
