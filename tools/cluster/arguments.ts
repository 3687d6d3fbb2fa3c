/** The command line of `npm run kind:up`, `kind:demo` and `kind:down`. */
import { Argument, Command, Option } from 'commander';
import { diagnosisOption, modeOption, SAMPLE } from '../../src/cli/arguments.ts';
import type { LimiterMode } from '../../src/local/limiters.ts';

/** The options of all three. */
export interface ClusterOptions {
  /** Empty counts as unset: a pipeline may set the variable to nothing. */
  readonly nodeImage?: string;
  readonly mode: LimiterMode;
  readonly model?: boolean;
  readonly file: string;
  readonly diagnosis?: string;
}

/** The command with its three verbs. */
export function clusterCommand(): Command {
  return new Command('npm run kind:up|kind:demo|kind:down --')
    .description(
      `up: creates the kind cluster "chaosdemo" if it does not exist, builds the image, loads it, and installs operator and rate limiter. Again: updates both.

demo: applies a ChaosDemo, shows it as it runs, and ends with 0 for Succeeded, 1 for Failed, 2 for Errored, 3 for Aborted.

down: deletes the cluster.`,
    )
    .addArgument(new Argument('<verb>').choices(['up', 'demo', 'down']))
    .addOption(
      new Option('--node-image <image>', 'up: image of the node (default: that of kind-config.yaml)').env(
        'CHAOSDEMO_KIND_NODE_IMAGE',
      ),
    )
    .addOption(modeOption())
    .option(
      '--model',
      'up: also run a small language model in the cluster, as profile "small" of the operator',
    )
    .option('--file <file>', 'demo: the ChaosDemo to run', SAMPLE)
    .addOption(diagnosisOption('demo: who explains what was detected: rules, or a profile of the operator'))
    .addHelpText(
      'after',
      `
Docker is used if it answers, else podman; KIND_EXPERIMENTAL_PROVIDER=podman prefers it. If no image registry can
be reached, root on Debian gets images made from this machine.`,
    );
}
