/** Which programs are built from which of the Go modules under tools/. */
import { type PinnedVersions, readPin, readPinnedVersions } from './versions.ts';

/** Programs of one module. */
export interface GoModule {
  /** For people: `kind v0.33.0`. */
  readonly name: string;
  /** Its folder under tools/. */
  readonly tool: string;
  readonly packages: readonly string[];
  /** Below the target folder: a file, or empty for one file a package, named after it. */
  readonly output: string;
  readonly linkerFlags: string;
}

/** What is built and cached together; `key` tells one version of it from another. */
export interface ProgramSet {
  readonly name: string;
  readonly key: string;
  /** What is known of a cold build on two cores. */
  readonly takes: string;
  readonly modules: readonly GoModule[];
}

const small = '-s -w';

/** etcd, kube-apiserver and kubectl. */
export function controlPlaneModules(versions: PinnedVersions): GoModule[] {
  return [
    {
      name: `etcd ${versions.etcd}`,
      tool: 'etcd',
      packages: ['go.etcd.io/etcd/server/v3'],
      output: 'etcd',
      linkerFlags: small,
    },
    kubernetes('kube-apiserver and kubectl', versions, ['kube-apiserver', 'kubectl']),
  ];
}

/** What a node image needs besides the control plane's programs. */
export async function nodePrograms(): Promise<ProgramSet> {
  const versions = await readPinnedVersions();
  const containerd = await readPin('containerd', 'github.com/containerd/containerd/v2');
  const coredns = await readPin('coredns', 'github.com/coredns/coredns');
  return {
    name: 'the programs of a Kubernetes node',
    takes: 'some 4 to 10 minutes',
    key: `node-${versions.kubernetes}-containerd-${containerd}-coredns-${coredns}`,
    modules: [
      kubernetes('kubelet, kubeadm and the rest of Kubernetes', versions, [
        'kube-controller-manager',
        'kube-scheduler',
        'kube-proxy',
        'kubelet',
        'kubeadm',
      ]),
      {
        name: `containerd ${containerd}`,
        tool: 'containerd',
        packages: ['containerd', 'containerd-shim-runc-v2', 'ctr'].map(
          (command) => `github.com/containerd/containerd/v2/cmd/${command}`,
        ),
        output: '',
        linkerFlags: small,
      },
      {
        name: `CoreDNS ${coredns}`,
        tool: 'coredns',
        packages: ['chaosdemo.dev/tools/coredns'],
        output: '',
        linkerFlags: small,
      },
      {
        name: 'the pause program',
        tool: 'pause',
        packages: ['chaosdemo.dev/tools/pause'],
        output: '',
        linkerFlags: small,
      },
    ],
  };
}

function kubernetes(what: string, { kubernetes: version }: PinnedVersions, commands: string[]): GoModule {
  const [major, minor] = version.slice(1).split('.');
  const variable = 'k8s.io/component-base/version';
  return {
    name: `${what} ${version}`,
    tool: 'kubernetes',
    packages: commands.map((command) => `k8s.io/kubernetes/cmd/${command}`),
    output: '',
    // Without the stamp they call themselves v0.0.0.
    linkerFlags: `${small} -X ${variable}.gitVersion=${version} -X ${variable}.gitMajor=${major} -X ${variable}.gitMinor=${minor}`,
  };
}
