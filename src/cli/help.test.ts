import { expect, it } from 'vitest';
import { demoCommand } from './arguments.ts';
import { checkCommand } from './check.ts';
import { initCommand, testCommand } from './laptop/arguments.ts';

// The names of limiters change with the survey, and are in the overview of docs/survey.md.
it.each([
  ['npm run demo', demoCommand(['a-limiter'])],
  ['chaosdemo test', testCommand()],
  ['chaosdemo init', initCommand()],
  ['chaosdemo check', checkCommand()],
])('the help of %s', (_, command) => {
  command.configureHelp({ helpWidth: 100 });
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  expect(text).toMatchSnapshot();
});
