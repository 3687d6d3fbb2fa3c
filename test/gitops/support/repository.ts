/** A Git repository that tests commit to and tools fetch from. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { runProgram } from '../../kit/program.ts';
import { GitServer } from './git-server.ts';

const identity = { name: 'Test', email: 'test@example.com' };

/** Its one branch is `main`; `url` serves what was pushed. */
export class Repository {
  readonly url: string;
  readonly #folder: string;
  readonly #server: GitServer;

  private constructor(folder: string, server: GitServer) {
    this.#folder = folder;
    this.#server = server;
    this.url = server.url('demo.git');
  }

  static async create(): Promise<Repository> {
    const folder = await mkdtemp(join(tmpdir(), 'chaosdemo-git-'));
    const repository = new Repository(folder, await GitServer.start(folder));
    await repository.#git(folder, 'init', '--quiet', '--bare', '--initial-branch=main', 'demo.git');
    await repository.#git(folder, 'clone', '--quiet', 'demo.git', 'work');
    await repository.#git(join(folder, 'work'), 'checkout', '--quiet', '-B', 'main');
    return repository;
  }

  /** Writes files (objects as YAML), commits and pushes them. Returns the new revision. */
  async commit(message: string, files: Readonly<Record<string, string | object>>): Promise<string> {
    for (const [name, content] of Object.entries(files)) {
      const path = join(this.#work, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, typeof content === 'string' ? content : stringify(content));
    }
    await this.#git(this.#work, 'add', '--all');
    await this.#git(this.#work, 'commit', '--quiet', '--message', message);
    return await this.#push();
  }

  /** Reverts the last commit and pushes that. Returns the new revision. */
  async revert(): Promise<string> {
    await this.#git(this.#work, 'revert', '--no-edit', 'HEAD');
    return await this.#push();
  }

  async remove(): Promise<void> {
    await this.#server.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #work(): string {
    return join(this.#folder, 'work');
  }

  async #push(): Promise<string> {
    await this.#git(this.#work, 'push', '--quiet', 'origin', 'main');
    return (await this.#git(this.#work, 'rev-parse', 'HEAD')).trim();
  }

  async #git(folder: string, ...args: string[]): Promise<string> {
    const env = {
      // None of the user's settings: a hook or a signature could fail the commit.
      HOME: this.#folder,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: identity.name,
      GIT_AUTHOR_EMAIL: identity.email,
      GIT_COMMITTER_NAME: identity.name,
      GIT_COMMITTER_EMAIL: identity.email,
    };
    const { status, stdout, stderr } = await runProgram('git', ['-C', folder, ...args], { env });
    if (status !== 0) throw new Error(`git ${args.join(' ')} ended with ${status}: ${stderr}`);
    return stdout;
  }
}
