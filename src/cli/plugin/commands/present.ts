import type { Command } from 'commander';
import { EXIT } from '../errors.ts';
import { present } from '../watch.ts';
import {
  type CommandContext,
  clusterCommand,
  connected,
  existing,
  newRequest,
  ONLY_ONE,
  say,
} from './command.ts';

export function addPresent(program: Command, context: CommandContext): void {
  clusterCommand(program, {
    name: 'present',
    summary: 'Tell the story of a run on a stage',
    examples: ['kubectl chaosdemo present demo -n ratelimiter'],
    notes: `Large, one chapter at a time. Space goes on to the next chapter where spec.pace.mode is Manual; a twice aborts the
run; r twice runs again; q leaves. It needs a terminal.`,
  })
    .argument('[name]', ONLY_ONE)
    .action(
      connected(context, async (connection, _options, given) => {
        const name = await existing(context, connection, given);
        await present({ connection, name, say, signal: context.signal, newRequest });
        return EXIT.done;
      }),
    );
}
