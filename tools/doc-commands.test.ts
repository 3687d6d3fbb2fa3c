/** Commands of this project in the documentation: each exists, and so do its options. */
import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import MarkdownIt from 'markdown-it';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { createProgram } from '../src/cli/plugin/program.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const pages = globSync(['*.md', 'docs/**/*.md', 'survey/*.md', 'corpus/*.md', 'helm/*/*.md'], { cwd: root });
const markdown = new MarkdownIt();
const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  scripts: Readonly<Record<string, string>>;
};
const plugin = createProgram({ signal: new AbortController().signal, onExit: () => undefined });

/** A command as a page shows it, and the options that it gives. */
interface Shown {
  readonly name: string;
  readonly options: readonly string[];
  readonly page: string;
}

/** The code of a page that runs in a shell: blocks, and code within a sentence. */
function shellCodeIn(page: string): string[] {
  const tokens = markdown.parse(readFileSync(root + page, 'utf8'), {});
  return tokens.flatMap(({ children, content, info, type }) => {
    if (type === 'fence') {
      return /^(sh|bash|console)$/.test(info) ? content.replaceAll('\\\n', ' ').split('\n') : [];
    }
    return (children ?? []).flatMap((part) => (part.type === 'code_inline' ? part.content : []));
  });
}

/** Every `<runner> <name> ...` on the pages; its options follow `before`. */
function commandsOf(runner: string, before = ''): Shown[] {
  const command = new RegExp(`(?:^|[ (])${runner} ([a-z][\\w:-]*)([^|;&#>]*)`, 'g');
  return pages.flatMap((page) =>
    shellCodeIn(page).flatMap((code) =>
      [...code.matchAll(command)].map(([, name = '', rest = '']) => {
        const given = rest.includes(before) ? rest.slice(rest.indexOf(before) + before.length) : '';
        return { name, options: optionsIn(given), page };
      }),
    ),
  );
}

function optionsIn(text: string): string[] {
  return [...text.matchAll(/(?<![\w-])--?[a-z][\w-]*/gi)].map(([option]) => option);
}

/** Options on the pages that a program does not have. */
function unknownOf(commands: readonly Shown[], known: readonly string[]): string[] {
  return commands.flatMap(({ name, options, page }) =>
    options.filter((option) => !known.includes(option)).map((option) => `${page}: ${name} ${option}`),
  );
}

const run = commandsOf('npm run(?: --silent)?', ' -- ');

it('npm run: the documentation names only scripts of package.json', () => {
  expect(run.length).toBeGreaterThan(50);
  expect(run.filter(({ name }) => !(name in scripts))).toEqual([]);
});

// Tests and checks are of vitest and npm; the site is of vitepress.
const withOptions = Map.groupBy(
  run.filter(({ name, options }) => options.length > 0 && !/^(test|check|docs)\b/.test(name)),
  ({ name }) => name,
);

it.each([...withOptions])('npm run %s has the options in the documentation', async (name, commands) => {
  const [, ...entry] = scripts[name]?.split(' ') ?? [];
  const help = await promisify(execFile)(process.execPath, [...entry, '--help'], { cwd: root });
  expect(unknownOf(commands, optionsIn(help.stdout))).toEqual([]);
});

it('kubectl chaosdemo has the commands and options in the documentation', () => {
  const commands = Map.groupBy(commandsOf('kubectl chaosdemo'), ({ name }) => name);
  expect(commands.size).toBeGreaterThan(8);
  const unknown = [...commands].flatMap(([name, shown]) => {
    const command = plugin.commands.find((each) => each.name() === name);
    if (!command) return [`${shown[0]?.page}: ${name}`];
    const known = command.options.flatMap(({ long, short }) => [long ?? '', short ?? '']);
    return unknownOf(shown, [...known, '--help']);
  });
  expect(unknown).toEqual([]);
});

it.each(['check', 'test'])('chaosdemo %s has the options in the documentation', async (name) => {
  const runner = `(?:(?:npx )?(?<!kubectl )chaosdemo|\\S*/scripts/chaosdemo\\.mjs)(?= ${name}(?: |$))`;
  const commands = commandsOf(runner);
  expect(commands.length).toBeGreaterThan(1);
  const entry = ['src/cli/chaosdemo.ts', name, '--help'];
  const { stdout } = await promisify(execFile)(process.execPath, entry, { cwd: root });
  expect(unknownOf(commands, optionsIn(stdout))).toEqual([]);
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

const crd = parse(readFileSync(`${root}crds/chaosdemo.dev_chaosdemos.yaml`, 'utf8')) as {
  spec: { versions: { schema: { openAPIV3Schema: Schema } }[] };
};

/** The schema at `.status.scenarios[*]`; undefined: there is no such field. */
function at(schema: Schema | undefined, path: string): Schema | undefined {
  const names = path.split('.').filter((name) => name !== '' && name !== '@');
  return names.reduce<Schema | undefined>((found, name) => {
    const field = found?.properties?.[name.replace('[*]', '')];
    return name.endsWith('[*]') ? field?.items : field;
  }, schema);
}

/** Paths of a JSONPath template, or of custom columns, that a ChaosDemo does not have. */
function wrongPathsIn(template: string): string[] {
  const object = crd.spec.versions[0]?.schema.openAPIV3Schema;
  const scopes: (Schema | undefined)[] = [object];
  return [...template.matchAll(/\{end\}|(\{range )?(\.[\w.[\]*]+)/g)].flatMap(([whole, range, path = '']) => {
    if (whole === '{end}') {
      scopes.pop();
      return [];
    }
    if (path.startsWith('.metadata')) return [];
    const found = path === '.items[*]' ? object : at(scopes.at(-1), path);
    if (range) scopes.push(found);
    return found ? [] : [path];
  });
}

it('kubectl get chaosdemo reads fields that a ChaosDemo has', () => {
  const templates = pages.flatMap((page) =>
    shellCodeIn(page)
      .filter((code) => code.includes('get chaosdemo'))
      .flatMap((code) => /-o (?:jsonpath|custom-columns)='([^']*)'/.exec(code)?.[1] ?? []),
  );
  expect(templates.length).toBeGreaterThan(5);
  expect(templates.flatMap(wrongPathsIn)).toEqual([]);
});
