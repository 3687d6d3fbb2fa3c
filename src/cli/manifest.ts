/** Reads the ChaosDemo of a file, for `run -f`, `test --file` and `npm run demo -- --file`. */
import { readFile } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { UsageError } from '@chaosdemo/settings';
import { parseAllDocuments } from 'yaml';
import { API_VERSION, KIND, messageOf } from '../api/index.ts';

/** The content of a file: everything but what the API server adds. */
export interface DemoManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: object & { readonly pace?: { readonly mode?: string } };
}

/**
 * The ChaosDemo of a file, or of standard input for `-`.
 * @param option that names the file
 * @throws UsageError if it cannot be read, or `signal` aborts
 */
export async function readManifest(
  option: string,
  path: string,
  signal?: AbortSignal,
  stdin: Readable = process.stdin,
): Promise<DemoManifest> {
  let content: string;
  try {
    content =
      path === '-'
        ? await text(signal ? addAbortSignal(signal, stdin) : stdin)
        : await readFile(path, { encoding: 'utf8', signal });
  } catch (error) {
    throw new UsageError(`${option} ${path}: ${messageOf(error)}`);
  }
  return parseManifest(`${option} ${path}`, content);
}

/**
 * The ChaosDemo in YAML or JSON.
 * @param source for messages
 * @throws UsageError if it holds none, several, or something else: those are applied with kubectl
 */
export function parseManifest(source: string, content: string): DemoManifest {
  const wrong = (what: string): UsageError => new UsageError(`${source}: ${what}`);
  const documents = parseAllDocuments(content);
  const broken = documents.flatMap(({ errors }) => errors)[0];
  if (broken) throw wrong(`it is not YAML: ${broken.message.split('\n')[0]}`);
  const objects = documents
    .map((document) => document.toJS() as DemoManifest | null)
    .filter((object) => object !== null);
  const [demo] = objects;
  if (demo === undefined || objects.length > 1) {
    throw wrong(
      `it holds ${objects.length} objects: write one ${KIND}, and apply others with kubectl before`,
    );
  }
  if (demo.kind !== KIND || demo.apiVersion !== API_VERSION) {
    throw wrong(`it holds a ${demo.kind} of ${demo.apiVersion}: write a ${KIND} of ${API_VERSION}`);
  }
  if (typeof demo.metadata?.name !== 'string' || demo.metadata.name === '') {
    throw wrong('metadata.name is missing');
  }
  return demo;
}

/**
 * The namespace to apply it in, by kubectl's rules.
 * @param current of the flag, or of the kubeconfig
 * @throws UsageError if the file and the flag name different ones
 */
export function namespaceOf(
  { metadata: { namespace } }: DemoManifest,
  current: string,
  flag: string | undefined,
): string {
  if (namespace !== undefined && flag !== undefined && namespace !== flag) {
    throw new UsageError(
      `the file has namespace ${namespace}, and -n is ${flag}. Leave out -n, or correct one of them`,
    );
  }
  return namespace ?? current;
}
