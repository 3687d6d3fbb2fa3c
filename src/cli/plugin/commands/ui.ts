import { once } from 'node:events';
import { type Command, Option } from 'commander';
import { EXIT } from '../../exit-status.ts';
import { wholeNumber } from '../../whole-number.ts';
import type { Place } from '../connection.ts';
import { existingDemo } from '../demos.ts';
import { type CommandContext, clusterCommand, ONLY_ONE, print, withConnection } from './command.ts';

export function addUi(program: Command, context: CommandContext): void {
  clusterCommand(program, {
    name: 'ui',
    summary: 'Show the last run as a page in your browser, live',
    examples: [
      'kubectl chaosdemo ui',
      'kubectl chaosdemo ui demo -n ratelimiter',
      'kubectl chaosdemo ui --no-open --port 8443',
    ],
    notes: `The page of a report, also of an active run. It is served on 127.0.0.1 with your own rights, to anyone who has the printed address. Ctrl-C ends it.`,
  })
    .argument('[name]', ONLY_ONE)
    .addOption(
      new Option('--port <number>', 'port of 127.0.0.1')
        .default(0, 'one that is free')
        .argParser(wholeNumber(1, 65_535)),
    )
    .option('--no-open', 'open no browser')
    .action(
      withConnection<Place & { port: number; open: boolean }>(
        context,
        async (connection, { open, port }, given) => {
          // Loads the charting library, which no other command needs at its start.
          const { hasBrowser, openUi } = await import('../ui/ui.ts');
          const { signal } = context;
          const { name } = (await existingDemo(connection, given, signal)).metadata;
          const { close } = await openUi({ connection, name, port, open: open && hasBrowser(), print });
          if (!signal.aborted) await once(signal, 'abort');
          await close();
          return EXIT.done;
        },
      ),
    );
}
