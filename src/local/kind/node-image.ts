/**
 * The image of kind's node. Where the stock one cannot be pulled it is made here, from a
 * small Debian, the files that kind itself puts into a node, and Kubernetes as built from
 * the pinned Go modules.
 */
import { createHash } from 'node:crypto';
import { appendFile, chmod, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { moduleSources } from '../binaries/build.ts';
import { ensureControlPlaneBinaries } from '../binaries/control-plane-binaries.ts';
import { nodePrograms } from '../binaries/go-modules.ts';
import { ensurePrograms } from '../binaries/program-set.ts';
import { Supervisor } from '../supervisor.ts';
import { attempt, output } from './command.ts';
import { type Programs, version, writeComponentImages } from './component-images.ts';
import { preload } from './containerd-store.ts';
import { ensureDebianTree } from './debian-tree.ts';
import { type Engine, fetchImage, hasImage, importFolder, type StepOptions } from './engine.ts';
import { copyFolder } from './folder-image.ts';
import { assertStandInsWork } from './stand-ins.ts';

const repository = 'localhost/chaosdemo-node';

/** Services that kind's own image switches on. */
const services = ['kubelet.service', 'containerd.service', 'undo-mount-hacks.service'];

/**
 * `stock` where the engine has it or can pull it; else an image made on this machine: some
 * ten minutes the first time, at once later.
 * @throws LocalError IMAGE_UNAVAILABLE where it can be neither
 */
export async function ensureNodeImage(engine: Engine, stock: string, options: StepOptions): Promise<string> {
  const obstacle = await fetchImage(engine, stock, options);
  if (obstacle === undefined) return stock;
  assertStandInsWork(stock, obstacle);
  const { key } = await nodePrograms();
  const image = `${repository}:${key}-${await recipe()}`;
  options.progress(
    `${stock} cannot be pulled (${obstacle}): a node image made on this machine takes its place`,
  );
  if (!(await hasImage(engine, image))) {
    await make(engine, image, options);
    await removeOlder(engine, image);
  }
  return image;
}

/** Those of other versions and recipes: close to a gigabyte each. One that is in use stays. */
async function removeOlder(engine: Engine, image: string): Promise<void> {
  const names = ['images', '--format', '{{.Repository}}:{{.Tag}}', repository];
  const { stdout } = await attempt(engine.name, names, { env: engine.env });
  for (const name of stdout.split('\n').filter((line) => line !== '' && line !== image)) {
    await attempt(engine.name, ['rmi', name], { env: engine.env });
  }
}

/** Changes with what the image is made by. */
async function recipe(): Promise<string> {
  const hash = createHash('sha256');
  for (const source of ['node-image', 'debian-tree', 'component-images', 'containerd-store']) {
    hash.update(await readFile(new URL(`${source}.ts`, import.meta.url)));
  }
  return hash.digest('hex').slice(0, 8);
}

async function make(engine: Engine, image: string, options: StepOptions): Promise<void> {
  const step = (message: string): void => {
    options.signal?.throwIfAborted();
    options.progress(`node image: ${message}`);
  };
  const programs: Programs = {
    controlPlane: (await ensureControlPlaneBinaries(options)).folder,
    node: await ensurePrograms(await nodePrograms(), options),
  };
  const debian = await ensureDebianTree(options);
  const kind = await moduleSources({ tool: 'kind', path: 'sigs.k8s.io/kind' }, process.env);
  const supervisor = new Supervisor();
  try {
    const workFolder = supervisor.temporaryFolder('node-image');
    const tree = join(workFolder, 'node');
    step('files of the node');
    await copyFolder(debian, tree);
    await addFilesOfKind(tree, kind);
    await addPrograms(tree, programs);
    step('the images of Kubernetes itself');
    const archive = join(workFolder, 'images.tar');
    const pause = await writeComponentImages(engine, programs, debian, workFolder, archive);
    await configureRuntime(tree, pause, programs);
    step('loading them into its store');
    await preload(programs.node, tree, archive, options.signal);
    step(image);
    await importFolder(engine, tree, image, [
      // systemd looks whether it is in a container, and ends with this signal only.
      'ENV container=docker',
      'STOPSIGNAL SIGRTMIN+3',
      'ENTRYPOINT ["/usr/local/bin/entrypoint","/sbin/init"]',
    ]);
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
