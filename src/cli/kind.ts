/**
 * `npm run kind:up|kind:demo|kind:down`: the operator and the reference rate limiter in a
 * real cluster on this machine.
 */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { ChaosDemo } from '../api/index.ts';
import { ANNOTATIONS } from '../api/index.ts';
import { formatElapsed } from '../local/binaries/progress.ts';
import { LocalError } from '../local/errors.ts';
import {
  clusterExists,
  clusterKubectl,
  createCluster,
  deleteCluster,
  findKind,
} from '../local/kind/cluster.ts';
import { installLimiter, installOperator, type LimiterMode, provideImages } from '../local/kind/install.ts';
import type { Kubectl } from '../local/kubectl.ts';
import { EXIT_BY_PHASE, runProgram, UsageError } from './program.ts';

const CLUSTER = 'chaosdemo';
/** Longer than the activeDeadline of the samples (10 m). */
const DEMO_DEADLINE_MS = 12 * 60_000;
/** A refusal that stands so long does not go away by itself. */
const REFUSED_MS = 20_000;

const HELP = `Usage: npm run kind:up -- [--node-image IMAGE] [--mode approximate|strict]
       npm run kind:demo -- [--file FILE]
       npm run kind:down

up      makes the kind cluster "${CLUSTER}" if it is not there, builds the image, loads it,
        and installs operator and rate limiter; again: brings both up to date
demo    applies a ChaosDemo, shows it as it runs, and ends with 0 for Succeeded, 1 for
        Failed, 2 for Errored, 3 for Aborted
down    deletes the cluster

--node-image IMAGE   image of the node; else CHAOSDEMO_KIND_NODE_IMAGE, else that of
                     kind-config.yaml
--mode MODE          how the rate limiter counts (default approximate)
--file FILE          default manifests/samples/demo.yaml
--help               prints this

Docker is used where it answers, else podman; KIND_EXPERIMENTAL_PROVIDER=podman prefers it.
Where no image registry can be reached, root on Debian gets images made from this machine.
`;

interface Options {
  readonly nodeImage: string | undefined;
  readonly mode: LimiterMode;
  readonly file: string;
}

type Command = (options: Options, signal: AbortSignal) => Promise<number>;

const commands: Readonly<Record<string, Command>> = { up, demo, down };
const start = performance.now();

function progress(message: string): void {
  process.stdout.write(`[kind, ${formatElapsed(performance.now() - start)}] ${message}\n`);
}

async function main(signal: AbortSignal): Promise<number> {
  const { help, command, ...options } = readArguments(process.argv.slice(2));
  if (help) {
    process.stdout.write(HELP);
    return 0;
  }
  const run = commands[command ?? ''];
  if (!run)
    throw new UsageError(`${command ?? 'no command'}: write one of ${Object.keys(commands).join(', ')}`);
  return await run(options, signal);
}

/** @throws UsageError naming what is wrong and what to write */
function readArguments(args: string[]): Options & { help: boolean | undefined; command: string | undefined } {
  const { values, positionals } = parse(args);
  const { mode } = values;
  if (mode !== 'approximate' && mode !== 'strict') {
    throw new UsageError(`--mode ${mode}: write approximate or strict`);
  }
  const [command, ...others] = positionals;
  if (others.length > 0) throw new UsageError(`one command at a time, not also ${others.join(' ')}`);
  return { nodeImage: values['node-image'], mode, file: values.file, help: values.help, command };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        'node-image': { type: 'string' },
        mode: { type: 'string', default: 'approximate' },
        file: { type: 'string', default: 'manifests/samples/demo.yaml' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function up(options: Options, signal: AbortSignal): Promise<number> {
  const step = { progress, signal };
  const kind = await findKind(CLUSTER, step);
  if (await clusterExists(kind)) progress(`the cluster ${CLUSTER} is there`);
  else {
    const nodeImage = options.nodeImage ?? process.env['CHAOSDEMO_KIND_NODE_IMAGE'];
    await createCluster(kind, { ...step, nodeImage });
  }
  const images = await provideImages(kind, step);
  const kubectl = await clusterKubectl(kind, step);
  progress('installing the operator');
  await installOperator(kubectl, { signal });
  progress(`installing the rate limiter, ${options.mode}`);
  await installLimiter(kubectl, options.mode, images, { signal });
  progress('ready. Next: npm run kind:demo');
  return 0;
}

async function demo({ file }: Options, signal: AbortSignal): Promise<number> {
  const step = { progress, signal };
  const kubectl = await clusterKubectl(await findKind(CLUSTER, step), step);
  const object = await kubectl.json<ChaosDemo>(['create', '--dry-run=client', '-f', file]);
  const { name, namespace } = object.metadata;
  // In the same write as the spec: a run for each change would supersede the first.
  const request = new Date().toISOString();
  const annotations = { ...object.metadata.annotations, [ANNOTATIONS.requestedAt]: request };
  await kubectl.apply([{ ...object, metadata: { ...object.metadata, annotations } }], { signal });

  const watch = ['--kubeconfig', kubectl.kubeconfig, '-n', namespace, 'get', 'chaosdemo', name, '-w'];
  const rows = spawn(kubectl.binary, watch, { env: kubectl.env, stdio: ['ignore', 'inherit', 'inherit'] });
  try {
    return await verdict(kubectl, ['-n', namespace, 'get', 'chaosdemo', name], request, signal);
  } finally {
    rows.kill();
  }
}

/** Waits for the end of the run that `request` asked for; the exit status it means. */
async function verdict(
  kubectl: Kubectl,
  get: readonly string[],
  request: string,
  signal: AbortSignal,
): Promise<number> {
  const deadline = Date.now() + DEMO_DEADLINE_MS;
  let refusedSince: number | undefined;
  while (Date.now() < deadline) {
    const { metadata, status = {} } = await kubectl.json<ChaosDemo>(get, { signal });
    const condition = (type: string) => status.conditions?.find((each) => each.type === type);
    if (status.lastHandledRunRequest === request && condition('Complete')?.status === 'True') {
      const reason = condition('Succeeded')?.reason ?? condition('Ready')?.reason;
      progress(`${status.phase} (${reason}), ${status.asExpected} as expected: ${status.message}`);
      return EXIT_BY_PHASE[status.phase ?? ''] ?? 2;
    }
    const refused = condition('Stalled');
    const current = status.observedGeneration === metadata?.generation;
    const stands = current && refused?.status === 'True' && status.lastHandledRunRequest !== request;
    refusedSince = stands ? (refusedSince ?? Date.now()) : undefined;
    if (refusedSince !== undefined && Date.now() - refusedSince > REFUSED_MS) {
      progress(`refused (${refused?.reason}): ${refused?.message}`);
      return 2;
    }
    await sleep(1_000, undefined, { signal });
  }
  throw new LocalError('NO_VERDICT', `No verdict after ${DEMO_DEADLINE_MS / 60_000} min`);
}

async function down(_options: Options, signal: AbortSignal): Promise<number> {
  await deleteCluster(await findKind(CLUSTER, { progress, signal }));
  return 0;
}

await runProgram({ main, help: 'npm run kind:up -- --help', failed: 2 });
