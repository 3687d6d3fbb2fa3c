/**
 * `npm run check:size`: fails if a folder has more lines of code than its budget in `budget.json`. A budget goes down
 * as code goes; to raise one, name in CHANGELOG.md what was deleted for it.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { type Budget, sizesOf } from './code-lines.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const budget = JSON.parse(readFileSync(new URL('budget.json', import.meta.url), 'utf8')) as Budget;

// Files that are new count before they are committed.
const listed = await execa(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.tsx'],
  {
    cwd: root,
  },
);
const files = listed.stdout.split('\n').flatMap((path) => {
  try {
    return [{ path, text: readFileSync(`${root}${path}`, 'utf8') }];
  } catch {
    return []; // Deleted, and not committed yet.
  }
});

const sizes = sizesOf(files, budget);
const width = Math.max(...Object.keys(budget).map(({ length }) => length));
for (const [name, lines] of sizes) {
  const most = budget[name] ?? 0;
  const over = lines > most ? `  ${lines - most} over` : '';
  console.log(`${name.padEnd(width)} ${String(lines).padStart(6)} of ${String(most).padStart(6)}${over}`);
}
const over = [...sizes].filter(([name, lines]) => lines > (budget[name] ?? 0));
if (over.length > 0) {
  console.error(
    `Over budget: ${over.map(([name]) => name).join(', ')}. Delete as many lines, or raise tools/size/budget.json and name in CHANGELOG.md what was deleted for it.`,
  );
  process.exitCode = 1;
}
