import type { Command } from 'commander';
import type { Place } from '../connection.ts';
import { EXIT } from '../errors.ts';
import { watch } from '../watch.ts';
import {
  type CommandContext,
  clusterCommand,
  connected,
  existing,
  ONLY_ONE,
  plainOption,
  say,
} from './command.ts';

export function addWatch(program: Command, context: CommandContext): void {
  clusterCommand(program, {
    name: 'watch',
    summary: 'Show a ChaosDemo live',
    examples: [
      'kubectl chaosdemo watch demo -n ratelimiter',
      'kubectl chaosdemo watch demo --plain | tee run.log',
    ],
    notes: `Chapters, countdown, health, results, charts of what was measured, and events. On a terminal it stays until you
press q. As plain lines it ends with the run. Without colour: NO_COLOR=1.`,
  })
    .addOption(plainOption())
    .argument('[name]', ONLY_ONE)
    .action(
      connected<Place & { plain: boolean }>(context, async (connection, { plain }, given) => {
        const name = await existing(context, connection, given);
        await watch({ connection, name, plain, say, signal: context.signal });
        return EXIT.done;
      }),
    );
}
