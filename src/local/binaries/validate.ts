/** Whether a folder holds etcd, kube-apiserver and kubectl that really run here. */
import { join } from 'node:path';
import type { ControlPlaneBinaries } from '../control-plane.ts';
import { LocalError, messageOf } from '../errors.ts';
import { run } from './run.ts';
import { compareVersions } from './versions.ts';

// The CRD relies on CEL validation, the demo on selectable fields: both are
// stable from here on.
const oldestKubernetes = 'v1.32.0';

// Answered at once; but a starved machine must not take a good folder for a bad
// one, because the next step may be a build.
const versionTimeoutMs = 5 * 60_000;

/** A validated folder. */
export interface FoundBinaries extends ControlPlaneBinaries {
  readonly folder: string;
  /** What its kube-apiserver says it is, `v1.36.3`. */
  readonly kubernetesVersion: string;
}

/** Runs each program's version command. Throws ASSETS_UNUSABLE with what is wrong. */
export async function validateBinaries(folder: string): Promise<FoundBinaries> {
  const binaries = {
    etcd: join(folder, 'etcd'),
    kubeApiserver: join(folder, 'kube-apiserver'),
    kubectl: join(folder, 'kubectl'),
  };
  const [kubernetes] = await Promise.all([
    version(binaries.kubeApiserver, ['--version'], /^Kubernetes (v\S+)/m),
    version(binaries.etcd, ['--version'], /^etcd Version: (\S+)/m),
    version(binaries.kubectl, ['version', '--client'], /^Client Version: (v\S+)/m),
  ]);
  if (compareVersions(kubernetes, oldestKubernetes) < 0) {
    throw new LocalError(
      'ASSETS_UNUSABLE',
      `${binaries.kubeApiserver} is ${kubernetes}, older than ${oldestKubernetes}`,
    );
  }
  return { ...binaries, folder, kubernetesVersion: kubernetes };
}

async function version(binary: string, args: string[], pattern: RegExp): Promise<string> {
  const result = await run(binary, args, { timeoutMs: versionTimeoutMs }).catch((error: unknown) => {
    throw new LocalError('ASSETS_UNUSABLE', `${binary} does not run: ${messageOf(error)}`, { cause: error });
  });
  const found = pattern.exec(result.stdout)?.[1];
  if (!found) {
    const said = (result.stderr || result.stdout).trim().slice(0, 200);
    throw new LocalError('ASSETS_UNUSABLE', `${binary} does not tell its version: ${said || 'no output'}`);
  }
  return found;
}
