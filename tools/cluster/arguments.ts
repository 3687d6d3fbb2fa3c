/** The command line of `npm run kind:up`, `kind:demo` and `kind:down`. */
import { z } from 'zod';
import { LIMITER_MODE, PROFILE, SAMPLE } from '../../src/cli/arguments.ts';
import { boolean, file, text } from '../../src/settings/kinds.ts';
import type { Program } from '../../src/settings/settings.ts';

const kind = {
  nodeImage: {
    ...text('<image>', 'the name of an image', z.string().min(1)),
    flag: 'node-image',
    env: 'CHAOSDEMO_KIND_NODE_IMAGE',
    help: 'up: image of the node (default: that of kind-config.yaml)',
  },
  mode: {
    ...LIMITER_MODE,
    help: 'up: how the rate limiters count; approximate admits too much, strict does not',
  },
  model: {
    ...boolean,
    flag: 'model',
    help: 'up: also run a small language model in the cluster, as profile "small" of the operator',
    fallback: 'false',
  },
  file: { ...file, flag: 'file', help: 'demo: the ChaosDemo to run', fallback: SAMPLE },
  diagnosis: {
    ...PROFILE,
    flag: 'diagnosis',
    help: 'demo: who explains what was detected: rules, or a profile of the operator (default: as the file says)',
  },
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
