import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildOperator, imageEnvironment, type Program } from './image-program.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

describe('the bundle of the operator', () => {
  let folder: string;
  let program: Program;

  beforeAll(async () => {
    await mkdir(join(root, 'node_modules/.cache'), { recursive: true });
    folder = await mkdtemp(join(root, 'node_modules/.cache/bundle-'));
    program = await buildOperator(AbortSignal.timeout(120_000), relative(root, folder));
    await writeFile(join(folder, 'kubeconfig'), kubeconfig);
  }, 300_000);

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('names lines of src in the stack of an error that it logs', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as AddressInfo;
    const { code, stdout } = await run([
      `--kubeconfig=${join(folder, 'kubeconfig')}`,
      '--http-host=127.0.0.1',
      `--http-port=${port}`,
    ]);
    taken.close();
    expect(code).toBe(1);
    const lines = stdout.trim().split('\n').map(parse);
    const { err } = lines.find(({ level }) => level === 'fatal') ?? {};
    await expectSource(err?.stack, 'src/operator/adapters/http-server.ts', 'new Error(');
    await expectSource(err?.stack, 'src/operator/operator.ts', 'startHttpServer(');
  });

  it('a crash of the bundle names lines of src', async () => {
    const { code, stderr } = await run(['--kubeconfig=/nowhere']);
    expect(code).toBe(1);
    await expectSource(stderr, 'packages/kube-runtime/src/kube-config.ts', 'config.loadFromFile(');
    await expectSource(stderr, 'src/operator/main.ts', 'loadKubeConfig(');
  });

  interface Ended {
    readonly code: unknown;
    readonly stdout: string;
    readonly stderr: string;
  }

  async function run(args: readonly string[]): Promise<Ended> {
    const { file, env } = program;
    return await new Promise((resolve) => {
      execFile(process.execPath, [file, ...args], { env, timeout: 60_000 }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
      );
    });
  }
});

it('imageEnvironment has what the last stage sets, and nothing of the stages before', () => {
  const dockerfile = 'FROM a AS build\nENV A=1\nFROM b\nENV B=--flag=2 C=3\nRUN x D=4\nENV E=5\n';
  expect(imageEnvironment(dockerfile)).toEqual({ B: '--flag=2', C: '3', E: '5' });
});

/** No process listens on the discard port. */
const kubeconfig = JSON.stringify({
  clusters: [{ name: 'none', cluster: { server: 'http://127.0.0.1:9' } }],
  users: [{ name: 'none', user: {} }],
  contexts: [{ name: 'none', context: { cluster: 'none', user: 'none' } }],
  'current-context': 'none',
});

function parse(line: string): { level: string; err?: { stack?: string } } {
  return JSON.parse(line) as { level: string; err?: { stack?: string } };
}

/** That a stack has a frame in this file, at a line which holds this text. */
async function expectSource(stack: string | undefined, file: string, text: string): Promise<void> {
  const source = (await readFile(join(root, file), 'utf8')).split('\n');
  const frames = [
    ...(stack ?? '').matchAll(new RegExp(`\\b${file.replaceAll('.', '\\.')}:(\\d+):\\d+`, 'g')),
  ];
  expect(frames.map(([, line]) => source[Number(line) - 1])).toContainEqual(expect.stringContaining(text));
}
