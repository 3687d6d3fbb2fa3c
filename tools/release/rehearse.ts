/** A release without a network: built twice, published to a registry on loopback, and installed as the documentation describes. */
import { appendFile, copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { attempt, freePort, Supervisor } from '@chaosdemo/testbed';
import { parse, stringify } from 'yaml';
import { root } from '../../src/local/root.ts';
import {
  assertNoCluster,
  clusterKubectl,
  createCluster,
  deleteCluster,
  findKind,
  type Kind,
  loadImages,
} from '../cluster/cluster.ts';
import { ensureImage } from '../cluster/images.ts';
import { ensureTool } from '../offline/programs.ts';
import { output } from '../run.ts';
import { buildRelease } from './build.ts';
import { CHECKSUMS } from './checksums.ts';
import { publish } from './publish.ts';
import { assets, type Release } from './release.ts';

const CLUSTER = 'chaosdemo-release';
const NODE = `${CLUSTER}-control-plane`;
const REGISTRY_MS = 60_000;

export async function rehearse(release: Release): Promise<void> {
  const supervisor = new Supervisor();
  const kind = await findKind(CLUSTER, release);
  await assertNoCluster(kind);
  const folder = supervisor.temporaryFolder('rehearsal');
  const kubeconfig = join(folder, 'kubeconfig');
  const port = await freePort();
  const local: Release = { ...release, registry: `localhost:${port}/chaosdemo` };
  try {
    await buildRelease(local, { standIns: true });
    await assertSameBuild(local, folder);
    await startCluster(kind, local, { supervisor, folder, kubeconfig, port });
    await install(kind, local, folder);
  } finally {
    await deleteCluster(kind, kubeconfig);
    await supervisor.close();
  }
}

/** Builds the same commit in a fresh clone. The image is in the comparison: install.yaml names its digest. */
async function assertSameBuild(release: Release, folder: string): Promise<void> {
  const { commit, progress, project, registry, signal } = release;
  progress('building again in a fresh clone');
  const clone = join(folder, 'clone');
  await output('git', ['clone', '--quiet', '--no-checkout', root, clone], { signal });
  await output('git', ['checkout', '--quiet', '--detach', commit], { signal, cwd: clone });
  const again = { out: join(folder, 'again') };
  const options = ['--registry', registry, '--project', project, '--out', again.out, '--stand-ins'];
  await output(process.execPath, ['bootstrap.mjs', 'release', 'build', ...options], { signal, cwd: clone });
  const lines = async (of: Pick<Release, 'out'>) =>
    (await readFile(join(assets(of), CHECKSUMS), 'utf8')).trimEnd().split('\n');
  const [first, second] = [await lines(release), await lines(again)];
  const differing = first.filter((line, at) => line !== second[at]);
  if (differing.length > 0 || first.length !== second.length) {
    throw new Error(
      `Two builds of ${commit} differ:\n${differing.join('\n')}\nThe second has:\n${second.join('\n')}`,
    );
  }
  for (const line of first) progress(`twice the same: ${line}`);
}

/** What a rehearsal has for itself. */
interface Place {
  readonly supervisor: Supervisor;
  readonly folder: string;
  readonly kubeconfig: string;
  /** Of the registry. */
  readonly port: number;
}

/** A cluster with a registry in its node, which has the same address there and on this machine. */
async function startCluster(
  kind: Kind,
  release: Release,
  { supervisor, folder, kubeconfig, port }: Place,
): Promise<void> {
  const crane = await ensureTool('crane', release);
  const config = parse(await readFile(join(root, 'kind-config.yaml'), 'utf8'));
  config.nodes[0].extraMounts = [{ hostPath: dirname(crane), containerPath: '/crane', readOnly: true }];
  config.nodes[0].extraPortMappings = [{ containerPort: port, hostPort: port, listenAddress: '127.0.0.1' }];
  const file = join(folder, 'kind.yaml');
  await writeFile(file, stringify(config));
  await createCluster(kind, { ...release, kubeconfig, config: file });
  const registry = await supervisor.start({
    name: 'registry',
    command: kind.engine.name,
    args: ['exec', NODE, '/crane/crane', 'registry', 'serve', '--address', `0.0.0.0:${port}`],
    env: kind.engine.env,
    logFile: join(folder, 'registry.log'),
  });
  const isReady = async () => (await attempt(crane, ['catalog', `localhost:${port}`], release)).ok;
  await registry.untilReady(isReady, REGISTRY_MS, release.signal);
}

/** Publishes, and runs the commands of the documentation. */
async function install(kind: Kind, release: Release, folder: string): Promise<void> {
  const { progress, registry, signal, version } = release;
  const programs = join(folder, 'bin');
  const home = join(folder, 'home');
  await mkdir(programs);
  await mkdir(home);
  const kubectl = await clusterKubectl(kind, release);
  for (const [name, path] of [
    ['kubectl', kubectl.binary],
    ['kubectl-krew', await ensureTool('krew', release)],
    ['helm', await ensureTool('helm', release)],
    ['cosign', await ensureTool('cosign', release)],
  ] as const) {
    await symlink(path, join(programs, name));
  }
  const env = {
    ...process.env,
    PATH: [programs, join(home, 'krew/bin'), join(home, 'npm/bin'), process.env['PATH']].join(':'),
    HOME: home,
    KREW_ROOT: join(home, 'krew'),
    npm_config_prefix: join(home, 'npm'),
    KUBECONFIG: kubectl.kubeconfig,
    COSIGN_PASSWORD: '',
    VERSION: version,
    REGISTRY: registry,
  };
  // Instead of the identity of the workflow.
  const signer = `SIGNER=(--key ${home}/cosign.pub --insecure-ignore-tlog=true)`;
  const shell = async (script: string, cwd = assets(release)) =>
    await output('bash', ['-euo', 'pipefail', '-c', `${signer}\n${script}`], { env, signal, cwd });
  await shell('cosign generate-key-pair', home);
  await publish(release, join(home, 'cosign.key'));

  const redis = await redisOf(kind, release);
  const documented = async (page: string, heading: string) => {
    progress(`${page}, ${heading}`);
    const script = await scriptOf(page, heading);
    const values = `--plain-http --set limiter.redisImage=${redis}`;
    await shell(script.replaceAll(/(?<=^helm (?:install|upgrade) chaosdemo )/gm, `${values} `));
  };
  await documented('docs/install.md', 'Verify a release');
  await assertTamperingShows(release, shell);
  await documented('docs/install.md', 'Install with kubectl');
  progress('docs/install.md, Uninstall');
  await shell('kubectl delete -f install.yaml --timeout=180s');
  await documented('docs/plugin.md', 'Install');
  await documented('docs/install.md', 'Install with Helm');
  const status = 'jsonpath={.status.phase}: {.status.message}';
  progress(`verdict: ${await kubectl.run(['get', 'chaosdemo', 'demo', '-n', 'ratelimiter', '-o', status])}`);
  await shell('kubectl chaosdemo history demo -n ratelimiter > run.jsonl && chaosdemo check run.jsonl', home);
  progress('the npm package judges the history of the run the same');
}

/** Redis as the chart names it, or a stand-in that the node has. */
async function redisOf(kind: Kind, release: Release): Promise<string> {
  const values = parse(await readFile(join(root, 'helm/chaosdemo-operator/values.yaml'), 'utf8'));
  const named = values.limiter.redisImage as string;
  const image = await ensureImage(kind.engine, named, 'redis', release);
  if (image !== named) await loadImages(kind, [image], release);
  return image;
}

async function assertTamperingShows(
  release: Release,
  shell: (script: string) => Promise<string>,
): Promise<void> {
  const [checksums, copy] = [join(assets(release), CHECKSUMS), join(release.out, 'changed.txt')];
  await copyFile(checksums, copy);
  await appendFile(copy, `${'0'.repeat(64)}  another.yaml\n`);
  const verify = `cosign verify-blob "\${SIGNER[@]}" --bundle checksums.txt.sigstore.json ${copy}`;
  await shell(`! ${verify}`);
  release.progress('changed checksums are rejected');
}

/** The commands below a heading of a page, without those that need the forge or a clone. */
export async function scriptOf(page: string, heading: string): Promise<string> {
  const text = await readFile(join(root, page), 'utf8');
  const [, section = ''] = new RegExp(`^## ${heading}\n([^]*?)(?=^## )`, 'm').exec(text) ?? [];
  const blocks = Array.from(section.matchAll(/^```(?:sh|bash)\n([^]*?)^```$/gm), ([, block = '']) => block);
  const possible = blocks.filter((block) => !/^(gh|node) /m.test(block));
  if (possible.length === 0) throw new Error(`${page} has no commands under "${heading}"`);
  return possible.join('');
}
