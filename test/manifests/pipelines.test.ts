/** The pipelines in ci/, the workflows of this project, and the one that the documentation shows, checked by what their systems check them by. */
import { cp, mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensureJsonSchemas } from '../../tools/offline/python-programs.ts';
import { folderOfFile } from '../kit/folder.ts';
import { type Outcome, runProgram, tool } from '../kit/program.ts';
import { root } from './support/render.ts';

const folder = folderOfFile();

const read = async (file: string): Promise<string> => await readFile(join(root, file), 'utf8');

/** What a program has to say; empty: nothing. */
const complaints = ({ status, stderr, stdout }: Outcome): string =>
  status === 0 ? '' : `${stdout}${stderr}`;

describe('by the schemas of GitHub and GitLab', () => {
  let packages: string;
  beforeAll(async () => {
    packages = await ensureJsonSchemas({
      progress: (line) => void process.stdout.write(`[tools] ${line}\n`),
    });
  });

  async function checked(schema: string, text: string): Promise<string> {
    const file = join(folder, `${schema}.yml`);
    await writeFile(file, text);
    const args = ['-m', 'check_jsonschema', '--builtin-schema', `vendor.${schema}`, file];
    return complaints(await runProgram('python3', args, { env: { PYTHONPATH: packages } }));
  }

  it.each([
    ['github-actions', 'ci/github/action.yml', 'using: composite', 'using: other', 'runs'],
    ['github-actions', 'ci/github/action.yml', 'shell: bash', 'shel: bash', 'runs.steps[0]'],
    ['github-actions', '.github/actions/setup/action.yml', 'shell: bash', 'shel: bash', 'runs.steps[2]'],
    ['gitlab-ci', 'ci/gitlab.yml', '    when: always', '    when: other', 'chaosdemo.cache.when'],
    ['gitlab-ci', 'ci/gitlab.yml', '  script:', '  other:', 'chaosdemo'],
  ])('%s: %s is valid, and would not be with another "%s"', async (schema, file, part, other, where) => {
    // A job whose name begins with a dot may have any member.
    const text = (await read(file)).replace(/^\.chaosdemo:/m, 'chaosdemo:');
    expect(await checked(schema, text)).toBe('');
    expect(await checked(schema, text.replace(part, other))).toContain(`$.${where}`);
  });
});

describe('by actionlint', () => {
  let actionlint: string;
  beforeAll(async () => {
    actionlint = await tool('actionlint');
  });

  /** The workflow with the action of this repository. */
  async function linted(workflow: string): Promise<string> {
    const repository = await mkdtemp(join(folder, 'repository-'));
    for (const part of ['.git', '.github/workflows'])
      await mkdir(join(repository, part), { recursive: true });
    await cp(join(root, 'ci'), join(repository, 'ci'), { recursive: true });
    const file = join(repository, '.github/workflows/test.yml');
    await writeFile(file, workflow.replace(/YOUR-ORG\/chaosdemo-operator\/(ci\/github)@v[\d.]+/, './$1'));
    return complaints(await runProgram(actionlint, ['-no-color', file]));
  }

  it('the workflow of the documentation is valid, with inputs that the action has', async () => {
    const page = await read('docs/gitops.md');
    const [, workflow = ''] = /^```yaml\n(on: .*?)^```/ms.exec(page) ?? [];
    expect(workflow).toContain('ci/github@v0.1.0');
    expect(await linted(workflow)).toBe('');
    expect(await linted(workflow.replace('start:', 'begin:'))).toContain('"begin"');
    expect(await linted(workflow.replace('runs-on', 'runs-at'))).toContain('runs-at');
  });

  it('the workflows of this project are valid', async () => {
    const workflows = join(root, '.github/workflows');
    const files = (await readdir(workflows)).map((file) => join(workflows, file));
    expect(files.length).toBe(3);
    expect(complaints(await runProgram(actionlint, ['-no-color', ...files]))).toBe('');
  });
});

it('each action is pinned by its digest, with its version', async () => {
  const workflows = (await readdir(join(root, '.github/workflows'))).map(
    (file) => `.github/workflows/${file}`,
  );
  const files = [...workflows, '.github/actions/setup/action.yml', 'ci/github/action.yml'];
  const used = (await Promise.all(files.map(read))).flatMap((text) => text.match(/\buses: .*/g) ?? []);
  expect(used.length).toBeGreaterThan(10);
  const pinned = /^uses: (\.\/\S+|[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/;
  expect(used.filter((line) => !pinned.test(line))).toEqual([]);
});

it('base images are pinned by their digest', async () => {
  const bases = (await read('Dockerfile')).match(/^(?:ARG RUNTIME_IMAGE=|FROM ).*$/gm) ?? [];
  expect(bases).toEqual([expect.stringMatching(/@sha256:[0-9a-f]{64}$/), 'FROM ${RUNTIME_IMAGE}']);
});
