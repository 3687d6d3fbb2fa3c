/** What is released, and where it is published. */
import { readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { StepOptions } from '@chaosdemo/testbed';
import { root } from '../../src/local/root.ts';
import { output } from '../run.ts';

/** One release of one commit. */
export interface Release extends StepOptions {
  /** Without `v`. */
  readonly version: string;
  readonly commit: string;
  /** When that was committed, in seconds: the only time in any artifact, so that each build makes the same. */
  readonly epoch: number;
  /** Prefix of image and chart: `ghcr.io/your-org`. */
  readonly registry: string;
  /** Page of the project, which has the downloads: `https://github.com/your-org/chaosdemo-operator`. */
  readonly project: string;
  /** Takes `assets`, the files to download, and `image`, an OCI layout. */
  readonly out: string;
}

/** The commit that is checked out, and the version in package.json. @throws if files differ from the commit */
export async function committed(): Promise<Pick<Release, 'version' | 'commit' | 'epoch'>> {
  const git = async (...args: string[]) => (await output('git', args, { cwd: root })).trim();
  const changed = await git('status', '--porcelain');
  if (changed !== '')
    throw new Error(`These files differ from the commit; commit or remove them:\n${changed}`);
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const [commit = '', epoch] = (await git('log', '-1', '--format=%H %ct')).split(' ');
  return { version, commit, epoch: Number(epoch) };
}

export const assets = ({ out }: Pick<Release, 'out'>): string => join(out, 'assets');
export const imageName = ({ registry }: Pick<Release, 'registry'>): string =>
  `${registry}/chaosdemo-operator`;
export const chartsName = ({ registry }: Pick<Release, 'registry'>): string => `${registry}/charts`;
export const chartFile = ({ version }: Pick<Release, 'version'>): string =>
  `chaosdemo-operator-${version}.tgz`;

/** Gives a file the time of the commit. */
export async function dated(file: string, { epoch }: Pick<Release, 'epoch'>): Promise<void> {
  await utimes(file, epoch, epoch);
}
