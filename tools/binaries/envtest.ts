/**
 * Ready-made binaries from the source of controller-runtime's envtest: an index of releases names an archive and its
 * SHA-512 for each version and platform.
 */
import { createHash } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compareVersions, messageOf, type Progress } from '@chaosdemo/testbed';
import { Agent, fetch } from 'undici';
import { parse } from 'yaml';
import { z } from 'zod';
import { fixOf, ToolError } from '../errors.ts';
import { output } from '../run.ts';
import { withHeartbeat } from './progress.ts';

const defaultIndex =
  'https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml';

// An offline machine must notice in seconds; a slow line may take its time once data flows.
const dispatcher = new Agent({ connectTimeout: 5_000, headersTimeout: 5_000, bodyTimeout: 15_000 });

/** One archive of the index. */
export interface EnvtestArchive {
  /** Kubernetes version, `v1.36.2`. */
  readonly version: string;
  readonly url: string;
  /** Lower-case hex. */
  readonly sha512: string;
}

const indexSchema = z.object({
  releases: z.record(
    z.string(),
    z.record(z.string(), z.object({ hash: z.string().regex(/^[0-9a-f]{128}$/i), selfLink: z.string() })),
  ),
});

/** The URL of the index: CHAOSDEMO_ENVTEST_INDEX, or the project's own; undefined when that is `off`. */
export function envtestIndexUrl(env: NodeJS.ProcessEnv): string | undefined {
  const configured = env['CHAOSDEMO_ENVTEST_INDEX']?.trim();
  return configured === 'off' ? undefined : configured || defaultIndex;
}

/**
 * The archive for a platform: of the wanted version, else the newest release of its minor; undefined when
 * there is none. Throws DOWNLOAD_CORRUPT when the text is no index. Links may be relative to the index, for
 * mirrors.
 */
export function chooseArchive(
  indexText: string,
  indexUrl: string,
  wanted: string,
  platform: string,
): EnvtestArchive | undefined {
  const parsed = indexSchema.safeParse(parseYaml(indexText));
  if (!parsed.success) {
    throw new ToolError('DOWNLOAD_CORRUPT', `${indexUrl} is not an index of envtest releases`);
  }
  const minor = `${wanted.split('.').slice(0, 2).join('.')}.`;
  const candidates = Object.entries(parsed.data.releases).flatMap(([version, files]) => {
    const file = files[`envtest-${version}-${platform}.tar.gz`];
    const stableOfMinor = version.startsWith(minor) && /^v\d+\.\d+\.\d+$/.test(version);
    if (!file || !stableOfMinor) return [];
    return [{ version, url: new URL(file.selfLink, indexUrl).href, sha512: file.hash.toLowerCase() }];
  });
  const newestFirst = candidates.sort((a, b) => compareVersions(b.version, a.version));
  return newestFirst.find(({ version }) => version === wanted) ?? newestFirst[0];
}

/** Fetches the index and chooses. Throws DOWNLOAD_FAILED or DOWNLOAD_CORRUPT. */
export async function findArchive(
  indexUrl: string,
  wanted: string,
  platform: string,
  signal?: AbortSignal,
): Promise<EnvtestArchive> {
  const text = (await fetched(indexUrl, signal)).toString();
  const archive = chooseArchive(text, indexUrl, wanted, platform);
  if (archive) return archive;
  throw new ToolError(
    'DOWNLOAD_FAILED',
    `${indexUrl} has no release of the minor of ${wanted} for ${platform}`,
  );
}

/** Downloads an archive, verifies it and unpacks its programs into `folder`. Throws DOWNLOAD_FAILED or DOWNLOAD_CORRUPT. */
export async function downloadArchive(
  archive: EnvtestArchive,
  folder: string,
  progress: Progress,
  signal?: AbortSignal,
): Promise<void> {
  const { url } = archive;
  const bytes = await withHeartbeat(
    progress,
    () => `downloading ${url}`,
    () => fetched(url, signal),
  );
  const sha512 = createHash('sha512').update(bytes).digest('hex');
  if (sha512 !== archive.sha512) {
    throw new ToolError(
      'DOWNLOAD_CORRUPT',
      `${url} has SHA-512 ${sha512.slice(0, 16)}..., its index says ${archive.sha512.slice(0, 16)}...`,
    );
  }
  const file = join(folder, 'archive.tar.gz');
  await writeFile(file, bytes);
  // The programs are two folders deep: controller-tools/envtest/.
  const args = ['-xzf', file, '-C', folder, '--strip-components=2'];
  await output('tar', args, { signal }, fixOf('DOWNLOAD_CORRUPT'));
  await rm(file);
}

/** @throws ToolError DOWNLOAD_FAILED */
async function fetched(url: string, signal?: AbortSignal): Promise<Buffer> {
  try {
    const response = await fetch(url, { dispatcher, ...(signal ? { signal } : {}) });
    const body = Buffer.from(await response.arrayBuffer());
    if (response.ok) return body;
    throw new Error(`HTTP status ${response.status}`);
  } catch (error) {
    // fetch hides the reason (no such host, connection refused) in the cause.
    const why = error instanceof Error && error.cause ? messageOf(error.cause) : messageOf(error);
    throw new ToolError('DOWNLOAD_FAILED', `${url} could not be fetched: ${why}`, { cause: error });
  }
}

function parseYaml(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
