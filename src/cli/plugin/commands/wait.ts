import type { Command } from 'commander';
import {
  type CommandContext,
  clusterCommand,
  connected,
  existing,
  ONLY_ONE,
  plainOption,
  timeoutOption,
  toVerdict,
  VERDICTS,
  type Waiting,
} from './command.ts';

export function addWait(program: Command, context: CommandContext): void {
  clusterCommand(program, {
    name: 'wait',
    summary: 'Wait until the run of a ChaosDemo has ended, or it is refused',
    examples: [
      'kubectl chaosdemo wait demo -n ratelimiter',
      'kubectl chaosdemo wait demo --timeout 20m && deploy',
    ],
    notes: VERDICTS,
  })
    .addOption(timeoutOption())
    .addOption(plainOption())
    .argument('[name]', ONLY_ONE)
    .action(
      connected<Waiting>(context, async (connection, options, given) =>
        toVerdict(context, connection, await existing(context, connection, given), options),
      ),
    );
}
