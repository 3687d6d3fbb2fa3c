import { once } from 'node:events';
import { Option } from 'commander';
import { EXIT } from '../../exit-status.ts';
import { wholeNumber } from '../../option-value.ts';
import { demoCommand, print } from './command.ts';

export const ui = demoCommand<{ readonly port: number }>({
  name: 'ui',
  summary: 'Serve the last run as a page for your browser, live',
  examples: [
    'kubectl chaosdemo ui',
    'kubectl chaosdemo ui demo -n ratelimiter',
    'kubectl chaosdemo ui --port 8443',
  ],
  notes: `The page of a report, also of an active run. It is served on 127.0.0.1 with your own rights, to anyone who has the printed address. Ctrl-C ends it.`,
  options: [
    new Option('--port <number>', 'port of 127.0.0.1')
      .default(0, 'one that is free')
      .argParser(wholeNumber(1, 65_535)),
  ],
  async run({ connection, options: { port }, signal }, { metadata: { name } }) {
    // Loads the charting library, which no other command needs at its start.
    const { openUi } = await import('../ui/server.ts');
    const { close } = await openUi({ connection, name, port, print });
    if (!signal.aborted) await once(signal, 'abort');
    await close();
    return EXIT.done;
  },
});
