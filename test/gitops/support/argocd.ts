/** Argo CD: its offline command, and its repo-server and application controller as processes. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, type OwnedProcess, startRedis } from '@chaosdemo/testbed';
import { crdsOf, type Outcome, runProgram, tool } from '../../kit/program.ts';
import { until } from '../../kit/until.ts';
import type { Surroundings } from '../../kit/world.ts';

export const ARGOCD_NAMESPACE = 'argocd';

/** The ConfigMap that is shipped: health and action of a ChaosDemo. */
export const SHIPPED_CONFIG = fileURLToPath(
  new URL('../../../manifests/gitops/argocd/argocd-cm.yaml', import.meta.url),
);

/** What Argo CD makes of an object by the shipped configuration, from its own offline command. */
export class ArgoOffline {
  /** Such as `Healthy`, and its message. */
  async health(object: object): Promise<{ status: string; message: string }> {
    const said = await this.#run('health', object);
    const [, status = '', message = ''] = /^STATUS: (.*)\nMESSAGE: (.*)/m.exec(said.stdout) ?? [];
    if (!status) throw new Error(`argocd printed no health: ${said.stdout}${said.stderr}`);
    return { status, message };
  }

  /** The actions that it offers, each with whether it is disabled. */
  async actions(object: object): Promise<Record<string, boolean>> {
    const { stdout } = await this.#run('list-actions', object);
    const rows = stdout.trim().split('\n').slice(1);
    return Object.fromEntries(
      rows.map((row) => row.trim().split(/\s+/)).map(([name, off]) => [name, off === 'true']),
    );
  }

  /** What an action changes, as a diff. */
  async act(object: object, action: string): Promise<string> {
    const { status, stdout, stderr } = await this.#run('run-action', object, action);
    if (!stdout.includes('have been changed'))
      throw new Error(`${action} ended with ${status}: ${stdout}${stderr}`);
    return stdout;
  }

  async #run(command: string, object: object, ...args: string[]): Promise<Outcome> {
    const binary = await tool('argocd');
    const folder = await mkdtemp(join(tmpdir(), 'chaosdemo-argocd-'));
    try {
      const file = join(folder, 'object.yaml');
      await writeFile(file, JSON.stringify(object));
      return await runProgram(
        binary,
        [
          'admin',
          'settings',
          'resource-overrides',
          command,
          file,
          ...args,
          '--argocd-cm-path',
          SHIPPED_CONFIG,
        ],
        { env: { HOME: folder, TMPDIR: folder } },
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** Installs what Argo CD needs, with the shipped configuration, and starts it. It ends with the environment. */
export async function startArgoCd(environment: Surroundings): Promise<() => Promise<void>> {
  const { controlPlane, supervisor } = environment;
  const { kubectl } = controlPlane;
  const binary = await tool('argocd');
  await kubectl.applyCustomResourceDefinitions(await crdsOf('argocd'));
  await kubectl.createNamespace(ARGOCD_NAMESPACE);
  await kubectl.apply(await readFile(SHIPPED_CONFIG, 'utf8'));
  await kubectl.apply(ownObjects());

  const folder = supervisor.temporaryFolder('argocd');
  const redis = await startRedis({ supervisor });
  const bin = await commandFolder(folder, kubectl.binary);
  const env = {
    PATH: `${bin}:${process.env['PATH']}`,
    HOME: folder,
    TMPDIR: folder,
    KUBECONFIG: controlPlane.kubeconfig,
    ARGOCD_FAKE_IN_CLUSTER: 'true',
    ARGOCD_GPG_ENABLED: 'false',
    ARGOCD_TLS_DATA_PATH: folder,
    ARGOCD_SSH_DATA_PATH: folder,
  };
  const start = async (name: string, args: string[]): Promise<OwnedProcess> =>
    await supervisor.start({
      name,
      command: binary,
      args: [...args, `--redis=${redis.host}:${redis.port}`],
      env: { ...env, ARGOCD_BINARY_NAME: name },
      logFile: join(folder, `${name}.log`),
    });

  const [port, metrics] = [await freePort(), await freePort()];
  const repoServer = await start('argocd-repo-server', [
    '--address=127.0.0.1',
    `--port=${port}`,
    '--metrics-address=127.0.0.1',
    `--metrics-port=${metrics}`,
    '--disable-tls',
  ]);
  await untilReady(repoServer, `http://127.0.0.1:${metrics}/healthz`);
  const controllerMetrics = await freePort();
  const controller = await start('argocd-application-controller', [
    `--namespace=${ARGOCD_NAMESPACE}`,
    `--repo-server=127.0.0.1:${port}`,
    '--repo-server-plaintext',
    `--metrics-port=${controllerMetrics}`,
    '--app-resync=5',
    '--app-resync-jitter=0',
  ]);
  await untilReady(controller, `http://127.0.0.1:${controllerMetrics}/healthz`);
  return async () => {
    await Promise.all([controller.stop(), repoServer.stop()]);
    await redis.stop();
  };
}

/** Argo CD calls kustomize by its name; kubectl brings the same program. */
async function commandFolder(folder: string, kubectl: string): Promise<string> {
  const script = `#!/bin/sh
[ "$1" = version ] && exec echo v5.0.0
shift
exec "${kubectl}" kustomize "$@"
`;
  await writeFile(join(folder, 'kustomize'), script, { mode: 0o755 });
  return folder;
}

/** What Argo CD's own installation has in addition to its processes. */
function ownObjects(): object[] {
  const metadata = (name: string): object => ({
    name,
    namespace: ARGOCD_NAMESPACE,
    labels: { 'app.kubernetes.io/part-of': 'argocd', 'app.kubernetes.io/name': name },
  });
  const names = ['ssh-known-hosts', 'tls-certs', 'gpg-keys', 'rbac', 'cmd-params'];
  return [
    ...names.map((name) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metadata(`argocd-${name}-cm`),
    })),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadata('argocd-secret'),
      stringData: { 'server.secretkey': 'of no use here' },
    },
    {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AppProject',
      metadata: { name: 'default', namespace: ARGOCD_NAMESPACE },
      spec: {
        sourceRepos: ['*'],
        destinations: [{ namespace: '*', server: '*' }],
        clusterResourceWhitelist: [{ group: '*', kind: '*' }],
      },
    },
  ];
}

async function untilReady(process: OwnedProcess, url: string): Promise<void> {
  await until(async () => process.exit ?? (await fetch(url)).ok, { what: `${process.name} to be ready` });
  if (process.exit) throw process.exitError();
}
