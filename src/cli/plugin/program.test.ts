import { expect, it } from 'vitest';
import { createProgram } from './program.ts';

const program = createProgram({ signal: new AbortController().signal, onExit: () => undefined });

it.each(program.commands.map((command) => [command.name(), command.description()]))(
  'breaks the help of %s where the terminal ends, and nowhere else',
  (_, description) => {
    expect(description.split('\n\n').filter((paragraph) => paragraph.includes('\n'))).toEqual([]);
  },
);
