/** The command lines of `npm run demo` and `npm run kind:*`. */

import { z } from 'zod';
import { boolean, choice, file, text } from '../settings/kinds.ts';
import type { Program } from '../settings/settings.ts';

const mode = {
  ...choice('approximate', 'strict'),
  flag: 'mode',
  help: 'How the rate limiters count; approximate admits too much, strict does not',
  fallback: 'approximate',
} as const;

const sample = 'manifests/samples/demo.yaml';

const demo = {
  mode,
  file: {
    ...file,
    flag: 'file',
    help: 'The ChaosDemo to run; its namespace must be "ratelimiter"',
    fallback: sample,
  },
  pace: {
    ...choice('auto', 'manual'),
    flag: 'pace',
    help: 'manual: go on to the next chapter when you press space or enter (default: as the file says)',
  },
  keep: {
    ...boolean,
    flag: 'keep',
    help: 'Leave everything running after the verdict, and print how to use kubectl against it; Ctrl-C ends it',
    fallback: 'false',
  },
  report: {
    ...file,
    flag: 'report',
    help: 'Write the final ChaosDemo object to this file, as JSON',
  },
} as const;

export const DEMO: Program<typeof demo> = {
  about: `Usage: npm run demo -- [flags]

Runs a whole chaos demo on this machine: a real Kubernetes API server, a real Redis, three rate limiters, and
the operator that puts them through real failures.`,
  settings: demo,
  notes: `Exit status: 0 Succeeded, 1 Failed, 2 Errored (or it could not be run), 3 Aborted, 64 wrong usage,
130 stopped by Ctrl-C.`,
};

const kind = {
  nodeImage: {
    ...text('<image>', 'the name of an image', z.string().min(1)),
    flag: 'node-image',
    env: 'CHAOSDEMO_KIND_NODE_IMAGE',
    help: 'up: image of the node (default: that of kind-config.yaml)',
  },
  mode: { ...mode, help: 'up: how the rate limiters count; approximate admits too much, strict does not' },
  file: { ...file, flag: 'file', help: 'demo: the ChaosDemo to run', fallback: sample },
} as const;

export const KIND_CLUSTER: Program<typeof kind> = {
  about: `Usage: npm run kind:up|kind:demo|kind:down -- [flags]

up      makes the kind cluster "chaosdemo" if it is not there, builds the image, loads it, and installs
        operator and rate limiter; again: brings both up to date
demo    applies a ChaosDemo, shows it as it runs, and ends with 0 for Succeeded, 1 for Failed, 2 for Errored,
        3 for Aborted
down    deletes the cluster`,
  settings: kind,
  notes: `Docker is used where it answers, else podman; KIND_EXPERIMENTAL_PROVIDER=podman prefers it. Where no image
registry can be reached, root on Debian gets images made from this machine.`,
};
