/** Reads the ChaosDemo from a file for `run -f`. Pure but for {@link readManifestFile}. */
import { readFile } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { parseAllDocuments } from 'yaml';
import { API_VERSION, KIND } from '../../api/index.ts';
import type { DemoManifest } from './demos.ts';
import { EXIT, PluginError } from './errors.ts';

/** More than the API server accepts for one object. */
const MAX_CHARACTERS = 4 * 1024 * 1024;

/** The text of a file, or of standard input for `-`. @throws {PluginError} if it cannot be read, or `signal` aborts */
export async function readManifestFile(
  path: string,
  signal: AbortSignal,
  stdin: Readable = process.stdin,
): Promise<string> {
  try {
    return path === '-'
      ? await text(addAbortSignal(signal, stdin))
      : await readFile(path, { encoding: 'utf8', signal });
  } catch (error) {
    throw wrong(path, (error as Error).message);
  }
}

/**
 * The ChaosDemo in YAML or JSON.
 * @throws {PluginError} if it holds none, several, or something else: those are applied with kubectl
 */
export function parseManifest(path: string, content: string): DemoManifest {
  if (content.length > MAX_CHARACTERS) throw wrong(path, 'it is larger than any object may be');
  const documents = parseAllDocuments(content);
  const broken = documents.flatMap(({ errors }) => errors)[0];
  if (broken) throw wrong(path, `it is no YAML: ${broken.message.split('\n')[0]}`);
  // An alias can expand to any number of values: this limit is enough for hand-written files.
  const objects = documents
    .map((document) => document.toJS({ maxAliasCount: 100 }) as DemoManifest | null)
    .filter((object) => object !== null);
  const [demo] = objects;
  if (demo === undefined || objects.length > 1) {
    throw wrong(
      path,
      `it holds ${objects.length} objects: write one ${KIND}, and apply others with kubectl before`,
    );
  }
  if (demo.kind !== KIND || demo.apiVersion !== API_VERSION) {
    throw wrong(path, `it holds a ${demo.kind} of ${demo.apiVersion}: write a ${KIND} of ${API_VERSION}`);
  }
  if (typeof demo.metadata?.name !== 'string' || demo.metadata.name === '') {
    throw wrong(path, 'metadata.name is missing');
  }
  return demo;
}

/**
 * The namespace to apply it in, by kubectl's rules.
 * @throws {PluginError} if the file and the flag name different ones
 */
export function namespaceOf(
  { metadata: { namespace } }: DemoManifest,
  place: { readonly namespace: string; readonly namespaceGiven: boolean },
): string {
  if (namespace !== undefined && place.namespaceGiven && namespace !== place.namespace) {
    throw new PluginError(
      `the file has namespace ${namespace}, and -n is ${place.namespace}`,
      'Leave out -n, or correct one of them',
      EXIT.usage,
    );
  }
  return namespace ?? place.namespace;
}

function wrong(path: string, what: string): PluginError {
  return new PluginError(`-f ${path}: ${what}`, undefined, EXIT.usage);
}
