/** Runs kubectl against one API server, isolated from the user's own kubeconfig, kuberc and caches. */
import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { stringify } from 'yaml';
import { TestbedError } from './errors.ts';
import { attempt, type RunOptions } from './run.ts';

/** The timeout is 5 min by default: far beyond the usual, so that a starved machine is slow and not broken. */
export type KubectlOptions = Pick<RunOptions, 'input' | 'signal' | 'timeoutMs'>;

/** kubectl for one kubeconfig. Pass secrets in `input`, never in the arguments, which errors repeat. */
export class Kubectl {
  readonly binary: string;
  readonly kubeconfig: string;

  constructor(binary: string, kubeconfig: string) {
    this.binary = binary;
    this.kubeconfig = kubeconfig;
  }

  /** The environment of kubectl: its caches are next to its kubeconfig. */
  get env(): NodeJS.ProcessEnv {
    return { PATH: process.env['PATH'], HOME: dirname(this.kubeconfig), KUBERC: 'off' };
  }

  /** Standard output. Throws KUBECTL_FAILED with what kubectl wrote to standard error. */
  async run(args: readonly string[], options: KubectlOptions = {}): Promise<string> {
    const { ok, stdout, errorText } = await attempt(this.binary, ['--kubeconfig', this.kubeconfig, ...args], {
      timeoutMs: 300_000,
      ...options,
      cwd: process.cwd(),
      env: this.env,
    });
    if (ok) return stdout;
    throw new TestbedError('KUBECTL_FAILED', `kubectl ${args.join(' ')}: ${errorText}`);
  }

  /** The output of a call that supports `-o json`; the caller ensures the type. */
  async json<T>(args: readonly string[], options?: KubectlOptions): Promise<T> {
    return JSON.parse(await this.run([...args, '-o', 'json'], options)) as T;
  }

  /** Server-side apply of objects, or of YAML or JSON text. */
  async apply(
    manifest: string | readonly object[],
    options: Omit<KubectlOptions, 'input'> = {},
  ): Promise<void> {
    await this.run([...applyArgs, '-f', '-'], { ...options, input: toText(manifest) });
  }

  /** Applies the CustomResourceDefinitions of a folder and waits until they are served (5 min at most). */
  async applyCustomResourceDefinitions(folder: string, options?: KubectlOptions): Promise<void> {
    await this.run([...applyArgs, '-f', folder], options);
    // kubectl wait fails on an object without any condition, which a new one is for a moment.
    await this.run(['wait', '--for=jsonpath={.status.conditions}', '--timeout=300s', '-f', folder], options);
    await this.run(['wait', '--for=condition=Established', '--timeout=300s', '-f', folder], options);
  }

  /** Makes a namespace, with labels. */
  async createNamespace(name: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }]);
  }

  /** A token of a ServiceAccount by TokenRequest. The API server rejects less than 600 s. */
  async serviceAccountToken(namespace: string, name: string, seconds = 3600): Promise<string> {
    const create = `create token ${name} --namespace ${namespace} --duration=${seconds}s`;
    return (await this.run(create.split(' '))).trim();
  }
}

/** Writes a kubeconfig, readable only by this user, for the holder of a token. Returns its path. */
export async function writeKubeconfig(
  path: string,
  cluster: { readonly caFile: string; readonly url: string },
  token: string,
  namespace = 'default',
): Promise<string> {
  const name = 'chaosdemo-local';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: cluster.url, 'certificate-authority': cluster.caFile } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace } }],
    'current-context': name,
  };
  await writeFile(path, stringify(config), { mode: 0o600 });
  return path;
}

const applyArgs = ['apply', '--server-side', '--force-conflicts', '--field-manager=chaosdemo-local'];

function toText(manifest: string | readonly object[]): string {
  if (typeof manifest === 'string') return manifest;
  // JSON is valid YAML with the same meaning in every version: in YAML 1.1, which kubectl reads, `no` is false. The
  // objects follow each other without separators: kubectl parses input that begins as JSON as JSON to the end.
  return manifest.map((object) => JSON.stringify(object)).join('\n');
}
