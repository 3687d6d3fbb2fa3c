/** `kubectl chaosdemo`: the program; its help lists the commands as added here. */
import { Command } from 'commander';
import { RELEASE } from '../../api/index.ts';
import type { CommandContext } from './commands/command.ts';
import { addDoctor } from './commands/doctor.ts';
import { addInit } from './commands/init.ts';
import { addHistory, addReport } from './commands/recorded.ts';
import { addRun, addWait, addWatch } from './commands/showing.ts';
import { addAbort, addAdvance, addRerun } from './commands/steering.ts';
import { addUi } from './commands/ui.ts';
import { addVersion } from './commands/version.ts';

/** Does not parse yet. */
export function createProgram(context: CommandContext): Command {
  const program = new Command('kubectl chaosdemo')
    .description('Runs, shows and controls ChaosDemos, and explains why one does not start.')
    .version(RELEASE, '--version', 'print the version of this program')
    .enablePositionalOptions()
    .configureHelp({ showGlobalOptions: false })
    .exitOverride();
  addInit(program, context);
  addRun(program, context);
  addWait(program, context);
  addWatch(program, context);
  addAdvance(program, context);
  addAbort(program, context);
  addRerun(program, context);
  addReport(program, context);
  addHistory(program, context);
  addUi(program, context);
  addDoctor(program, context);
  addVersion(program, context);
  return program;
}
