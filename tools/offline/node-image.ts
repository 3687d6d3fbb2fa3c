/**
 * The image of kind's node: a small Debian, the files that kind itself puts into a node, and Kubernetes as
 * built from the pinned Go modules.
 */

import { createHash } from 'node:crypto';
import { appendFile, chmod, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type StepOptions, Supervisor } from '@chaosdemo/testbed';
import { ensureControlPlaneBinaries } from '../binaries/control-plane.ts';
import { withGo } from '../binaries/go.ts';
import type { Engine } from '../cluster/engine.ts';
import { output } from '../run.ts';
import { type Programs, version, writeComponentImages } from './component-images.ts';
import { preload } from './containerd-store.ts';
import { makeDebian } from './debian.ts';
import { ensurePrograms, nodePrograms } from './programs.ts';
import { toolsFolder } from './tools-folder.ts';

/** What images are made with. */
export interface FillOptions extends StepOptions {
  readonly engine: Engine;
}

/** Services that kind's own image switches on. */
const services = ['kubelet.service', 'containerd.service', 'undo-mount-hacks.service'];

/** Changes with the programs, and with what the image is made by. */
export async function nodeVersion(): Promise<string> {
  const hash = createHash('sha256');
  for (const source of ['node-image', 'debian', 'component-images', 'containerd-store']) {
    hash.update(await readFile(new URL(`${source}.ts`, import.meta.url)));
  }
  return `${(await nodePrograms()).key}-${hash.digest('hex').slice(0, 8)}`;
}

/** Fills the folder of the image, some ten minutes when its programs have to be built. Returns how the image runs. */
export async function fillNode(tree: string, options: FillOptions): Promise<readonly string[]> {
  const { engine, signal } = options;
  const step = (message: string): void => {
    signal?.throwIfAborted();
    options.progress(`node image: ${message}`);
  };
  const programs: Programs = {
    controlPlane: (await ensureControlPlaneBinaries(options)).folder,
    node: await ensurePrograms(await nodePrograms(), options),
  };
  const supervisor = new Supervisor();
  try {
    const workFolder = supervisor.temporaryFolder('node-image');
    const debian = join(workFolder, 'debian');
    await makeDebian(debian, options);
    step('files of the node');
    await output('cp', ['-a', `${debian}/.`, tree]);
    await withGo(options, async (go) =>
      addFilesOfKind(tree, await go.sources(join(toolsFolder, 'kind'), 'sigs.k8s.io/kind')),
    );
    await addPrograms(tree, programs);
    step('the images of Kubernetes itself');
    const archive = join(workFolder, 'images.tar');
    const pause = await writeComponentImages(engine, programs, debian, workFolder, archive);
    await configureRuntime(tree, pause, programs);
    step('loading them into its store');
    await preload(programs.node, tree, archive, signal);
    return [
      // systemd looks whether it is in a container, and ends with this signal only.
      'ENV container=docker',
      'STOPSIGNAL SIGRTMIN+3',
      'ENTRYPOINT ["/usr/local/bin/entrypoint","/sbin/init"]',
    ];
  } finally {
    await supervisor.close();
  }
}

/** What the Dockerfile of kind's base image does. */
async function addFilesOfKind(tree: string, kind: string): Promise<void> {
  const files = join(kind, 'images/base/files');
  await output('cp', ['-r', '--no-preserve=mode,ownership', `${files}/.`, tree]);
  for (const folder of ['usr/local/bin', 'kind/bin']) {
    for (const name of await readdir(join(tree, folder))) await chmod(join(tree, folder, name), 0o755);
  }
  const unwanted = [
    'lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service',
    'lib/systemd/system/{multi-user,local-fs,basic}.target.wants/*',
    'lib/systemd/system/sockets.target.wants/*{udev,initctl}*',
    'etc/systemd/system/*.wants/*',
  ];
  await output('bash', ['-c', `cd "$0" && rm -f ${unwanted.join(' ')}`, tree]);
  await appendFile(join(tree, 'etc/systemd/journald.conf'), 'ReadKMsg=no\n');
  await output('ln', ['-sfn', '/usr/lib/systemd/systemd', join(tree, 'sbin/init')]);
  await output('chroot', [tree, 'systemctl', 'enable', ...services]);
  await output('chroot', [tree, 'systemctl', 'mask', 'systemd-binfmt.service']);
}

async function addPrograms(tree: string, programs: Programs): Promise<void> {
  for (const folder of ['etc/kubernetes/manifests', 'opt/cni/bin', 'kind/manifests']) {
    await mkdir(join(tree, folder), { recursive: true });
  }
  const copies: [from: string, to: string][] = [
    ...['containerd', 'containerd-shim-runc-v2', 'ctr'].map((name): [string, string] => [
      join(programs.node, name),
      `usr/local/bin/${name}`,
    ]),
    ...['kubelet', 'kubeadm'].map((name): [string, string] => [join(programs.node, name), `usr/bin/${name}`]),
    [join(programs.controlPlane, 'kubectl'), 'usr/bin/kubectl'],
    ...['host-local', 'loopback', 'ptp', 'portmap'].map((name): [string, string] => [
      join(tree, 'usr/lib/cni', name),
      `opt/cni/bin/${name}`,
    ]),
  ];
  for (const [from, to] of copies) await cp(from, join(tree, to));
  await rm(join(tree, 'usr/lib/cni'), { recursive: true });
  await writeFile(join(tree, 'kind/version'), await version(programs));
}

async function configureRuntime(tree: string, pause: string, programs: Programs): Promise<void> {
  const spec = JSON.parse(await output(join(programs.node, 'ctr'), ['oci', 'spec'])) as {
    hooks?: object;
    process: { rlimits?: unknown };
  };
  delete spec.process.rlimits;
  spec.hooks = { ...spec.hooks, createContainer: [{ path: '/kind/bin/mount-product-files.sh' }] };
  await writeFile(join(tree, 'etc/containerd/cri-base.json'), JSON.stringify(spec));

  const file = join(tree, 'etc/containerd/config.toml');
  const config = (await readFile(file, 'utf8'))
    .replace(/sandbox_image = ".*"/, `sandbox_image = "${pause}"`)
    // Where root lacks CAP_SYS_RESOURCE no container may lower its score, and no pod would start.
    .replace('restrict_oom_score_adj = false', 'restrict_oom_score_adj = true');
  // In place of kind's network daemon, whose image cannot be had: one node needs no routes.
  const template =
    '[plugins."io.containerd.grpc.v1.cri".cni]\n  conf_template = "/etc/containerd/cni.template"\n';
  await writeFile(file, `${config}\n${template}`);
  await writeFile(join(tree, 'etc/containerd/cni.template'), cniTemplate);
  await writeFile(join(tree, 'kind/manifests/default-cni.yaml'), cniNote);
  await writeFile(join(tree, 'kind/manifests/default-storage.yaml'), storageClass);
}

const cniTemplate = `{"cniVersion": "1.0.0", "name": "kind", "plugins": [
  {"type": "ptp", "ipMasq": true, "ipam": {
    "type": "host-local", "dataDir": "/run/cni-ipam-state", "routes": [{"dst": "0.0.0.0/0"}],
    "ranges": [{{range $i, $range := .PodCIDRRanges}}{{if $i}}, {{end}}[{"subnet": "{{$range}}"}]{{end}}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}
]}
`;

/** kind wants a manifest here. */
const cniNote = `apiVersion: v1
kind: ConfigMap
metadata: { name: cni, namespace: kube-system }
data: { note: "CNI is configured by containerd's conf_template. NetworkPolicies are not enforced." }
`;

/** Of kube-controller-manager, where kind switches it on. */
const storageClass = `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: standard
  annotations: { storageclass.kubernetes.io/is-default-class: "true" }
provisioner: kubernetes.io/host-path
`;
