import type { Command } from 'commander';

/** `command` after it has parsed `args`. @throws CommanderError for wrong usage; nothing is printed */
export function parsed(command: Command, args: readonly string[]): Command {
  return command
    .exitOverride()
    .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
    .action(() => undefined)
    .parse([...args], { from: 'user' });
}
