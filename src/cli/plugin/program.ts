/** `kubectl chaosdemo`: the program; its help lists the commands in this order. */
import { Command } from 'commander';
import { RELEASE } from '../../api/index.ts';
import { addCommand, type CommandContext } from './commands/command.ts';
import { doctor } from './commands/doctor.ts';
import { init } from './commands/init.ts';
import { history, report } from './commands/recorded.ts';
import { run, wait, watch } from './commands/showing.ts';
import { abort, advance, rerun } from './commands/steering.ts';
import { ui } from './commands/ui.ts';
import { version } from './commands/version.ts';

const COMMANDS = [init, run, wait, watch, advance, abort, rerun, report, history, ui, doctor, version];

/** Does not parse yet. */
export function createProgram(context: CommandContext): Command {
  const program = new Command('kubectl chaosdemo')
    .description('Runs, shows and controls ChaosDemos, and explains why one does not start.')
    .version(RELEASE, '--version', 'print the version of this program')
    .enablePositionalOptions()
    .configureHelp({ showGlobalOptions: false })
    .exitOverride();
  for (const command of COMMANDS) addCommand(program, command, context);
  return program;
}
