/**
 * `npm run kind:up|kind:demo|kind:down`: the operator and the reference rate limiter in a
 * real cluster on this machine. Needs Docker or podman, kind and kubectl.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { capture, root, SetupError, say, show } from './run-command.mjs';

/** The version this was made for; its default node image fits it. */
const KIND_VERSION = 'v0.33.0';
const CLUSTER = 'chaosdemo';
const CONTEXT = `kind-${CLUSTER}`;
const NAMESPACE = 'ratelimiter';
const EXIT_BY_PHASE = { Succeeded: 0, Failed: 1, Errored: 2, Aborted: 3 };
const EXIT_USAGE = 64;
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

--node-image IMAGE   image of the node; else CHAOSDEMO_KIND_NODE_IMAGE, else that of kind
--mode MODE          how the rate limiter counts (default approximate)
--file FILE          default manifests/samples/demo.yaml
--help               prints this

Docker is used where it answers, else podman; KIND_EXPERIMENTAL_PROVIDER=podman prefers it.
`;

const commands = { up, demo, down };
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`\n${error.message}\n`);
  process.exitCode = error.code?.startsWith('ERR_PARSE_ARGS') ? EXIT_USAGE : 2;
}

async function main(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'node-image': { type: 'string' },
      mode: { type: 'string', default: 'approximate' },
      file: { type: 'string', default: 'manifests/samples/demo.yaml' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const command = commands[positionals[0]];
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (!command || positionals.length > 1 || !['approximate', 'strict'].includes(values.mode)) {
    process.stderr.write(HELP);
    return EXIT_USAGE;
  }
  return await command(values);
}

async function up(options) {
  if (Number(process.versions.node.split('.')[0]) < 24) {
    throw new SetupError('Node 24 is needed: run "node bootstrap.mjs install", then the same command again.');
  }
  await requireKubectl();
  const engine = await findEngine();
  const kind = await findKind(engine);

  const clusters = (await capture(kind, ['get', 'clusters'])).stdout.split('\n');
  if (clusters.includes(CLUSTER)) say(`the cluster ${CLUSTER} is there`);
  else {
    const image = options['node-image'] ?? process.env.CHAOSDEMO_KIND_NODE_IMAGE;
    const chosen = image ? ['--image', image] : [];
    await show(kind, [
      'create',
      'cluster',
      '--config',
      'kind-config.yaml',
      '--name',
      CLUSTER,
      '--wait',
      '180s',
      ...chosen,
    ]);
  }

  const overlay = `manifests/ratelimiter/overlays/${options.mode}`;
  const image = await buildImage(engine);
  await load(engine, kind, [image, ...(await imagesAtHand(engine, overlay, image))]);

  await kubectl(['apply', '--server-side', '-k', 'manifests/operator']);
  await kubectl(['wait', '--for=condition=Established', '--timeout=60s', '-f', 'crds']);
  await kubectl(['apply', '--server-side', '-k', overlay]);
  await makeSecrets();
  // The tag may be that of an earlier build, and then nothing in the manifests has changed.
  const ours = [
    ['chaosdemo-system', 'deployment/chaosdemo-operator'],
    [NAMESPACE, `deployment/ratelimiter`],
  ];
  for (const [namespace, workload] of ours) await kubectl(['-n', namespace, 'rollout', 'restart', workload]);
  for (const [namespace, workload] of [[NAMESPACE, 'statefulset/redis'], ...ours]) {
    await kubectl(['-n', namespace, 'rollout', 'status', workload, '--timeout=300s']);
  }
  say('ready. Next: npm run kind:demo');
  return 0;
}

async function demo(options) {
  await requireKubectl();
  await kubectl(['get', 'namespace', NAMESPACE], {
    hint: 'There is no cluster with the rate limiter. Make it: npm run kind:up',
  });
  const object = JSON.parse(
    (await kubectlOutput(['create', '--dry-run=client', '-o', 'json', '-f', options.file])).stdout,
  );
  const { name } = object.metadata;
  // In the same write as the spec: a run for each change would supersede the first.
  const request = new Date().toISOString();
  object.metadata.annotations = { ...object.metadata.annotations, 'chaosdemo.dev/requested-at': request };
  await kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], {
    input: JSON.stringify(object),
  });

  const rows = spawn('kubectl', ['--context', CONTEXT, '-n', NAMESPACE, 'get', 'chaosdemo', name, '-w'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  try {
    return await verdict(name, request);
  } finally {
    rows.kill();
  }
}

/** Waits for the end of the run that `request` asked for; the exit status it means. */
async function verdict(name, request) {
  const deadline = Date.now() + DEMO_DEADLINE_MS;
  let refusedSince;
  while (Date.now() < deadline) {
    const { stdout } = await kubectlOutput(['-n', NAMESPACE, 'get', 'chaosdemo', name, '-o', 'json']);
    const { metadata, status = {} } = JSON.parse(stdout);
    const condition = (type) => status.conditions?.find((each) => each.type === type);
    if (status.lastHandledRunRequest === request && condition('Complete')?.status === 'True') {
      const reason = condition('Succeeded')?.reason ?? condition('Ready')?.reason;
      say(`${status.phase} (${reason}), ${status.expected} as expected: ${status.message}`);
      return EXIT_BY_PHASE[status.phase] ?? 2;
    }
    const refused = status.observedGeneration === metadata.generation && condition('Stalled');
    const stands = refused && refused.status === 'True' && status.lastHandledRunRequest !== request;
    refusedSince = stands ? (refusedSince ?? Date.now()) : undefined;
    if (stands && Date.now() - refusedSince > REFUSED_MS) {
      say(`refused (${refused.reason}): ${refused.message}`);
      return EXIT_BY_PHASE.Errored;
    }
    await sleep(1_000);
  }
  throw new SetupError(
    `No verdict after ${DEMO_DEADLINE_MS / 60_000} min. See: kubectl --context ${CONTEXT} -n chaosdemo-system logs deploy/chaosdemo-operator`,
  );
}

async function down() {
  const engine = await findEngine();
  await show(await findKind(engine), ['delete', 'cluster', '--name', CLUSTER]);
  return 0;
}

/** The image as the manifests name it. A full name means the same to Docker, podman and the node. */
async function buildImage(engine) {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const image = `chaosdemo.dev/chaosdemo-operator:${version}`;
  // npm hands its own setting down in this variable.
  const registry = process.env.npm_config_registry ?? process.env.NPM_CONFIG_REGISTRY;
  const revision = (await capture('git', ['rev-parse', 'HEAD'])).stdout.trim() || 'unknown';
  await show(engine, [
    'build',
    '--tag',
    image,
    ...(registry ? ['--build-arg', `NPM_CONFIG_REGISTRY=${registry}`] : []),
    '--build-arg',
    `VERSION=${version}`,
    '--build-arg',
    `REVISION=${revision}`,
    '.',
  ]);
  return image;
}

/** Other images of the manifests that this machine has: the node need not pull them. */
async function imagesAtHand(engine, overlay, own) {
  const { stdout } = await kubectlOutput(['kustomize', overlay]);
  const named = new Set([...stdout.matchAll(/^\s+(?:- )?image: (\S+)$/gm)].map(([, image]) => image));
  named.delete(own);
  const there = await Promise.all(
    [...named].map(async (image) =>
      (await capture(engine, ['image', 'inspect', image])).ok ? image : undefined,
    ),
  );
  return there.filter((image) => image !== undefined);
}

/** By way of an archive, which `kind load` takes from Docker and podman alike. */
async function load(engine, kind, images) {
  const folder = await mkdtemp(join(tmpdir(), 'chaosdemo-kind-'));
  try {
    for (const [index, image] of images.entries()) {
      const archive = join(folder, `${index}.tar`);
      await show(engine, ['save', '-o', archive, image]);
      await show(kind, ['load', 'image-archive', archive, '--name', CLUSTER]);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function makeSecrets() {
  const there = await kubectlOutput([
    '-n',
    NAMESPACE,
    'get',
    'secret',
    'redis-users',
    '--ignore-not-found',
    '-o',
    'name',
  ]);
  if (there.stdout.trim() !== '') return;
  const { stdout } = await capture(process.execPath, ['scripts/redis-users.mjs']);
  await kubectl(['create', '-f', '-'], { input: stdout });
}

/** Docker, or podman where Docker does not answer or podman is asked for. */
async function findEngine() {
  const order =
    process.env.KIND_EXPERIMENTAL_PROVIDER === 'podman' ? ['podman', 'docker'] : ['docker', 'podman'];
  const answers = [];
  for (const engine of order) {
    const { ok, missing, stderr } = await capture(engine, ['info']);
    if (ok) return engine;
    answers.push(
      `  ${engine}: ${missing ? 'not installed' : (stderr.trim().split('\n').at(-1) ?? 'no answer')}`,
    );
  }
  throw new SetupError(
    [
      'Neither Docker nor podman can be used:',
      ...answers,
      'Install Docker (https://docs.docker.com/engine/install) or podman, or start its daemon.',
      'Without either, npm run demo shows the same on a bare machine.',
    ].join('\n'),
  );
}

async function findKind(engine) {
  if (engine === 'podman') process.env.KIND_EXPERIMENTAL_PROVIDER = 'podman';
  const { missing, stdout } = await capture('kind', ['version']);
  if (missing) {
    throw new SetupError(
      `kind is not installed. Install it: go install sigs.k8s.io/kind@${KIND_VERSION}, or see https://kind.sigs.k8s.io`,
    );
  }
  if (!stdout.includes(`${KIND_VERSION} `)) {
    say(
      `made for kind ${KIND_VERSION}, found "${stdout.trim()}": if the node does not start, install that one`,
    );
  }
  return 'kind';
}

async function requireKubectl() {
  if ((await capture('kubectl', ['version', '--client'])).missing) {
    throw new SetupError('kubectl is not installed: see https://kubernetes.io/docs/tasks/tools');
  }
}

/** kubectl against this cluster, whatever the current context is; its output is shown. */
async function kubectl(args, { input, hint } = {}) {
  const { ok, stdout, stderr } = await capture('kubectl', ['--context', CONTEXT, ...args], input);
  process.stdout.write(stdout);
  if (!ok) throw new SetupError(hint ?? `kubectl ${args.join(' ')}: ${stderr.trim()}`);
}

async function kubectlOutput(args) {
  const result = await capture('kubectl', ['--context', CONTEXT, ...args]);
  if (!result.ok) throw new SetupError(`kubectl ${args.join(' ')}: ${result.stderr.trim()}`);
  return result;
}
