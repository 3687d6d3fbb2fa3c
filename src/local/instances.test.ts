import { readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { Supervisor } from '@chaosdemo/testbed';
import { describe, expect, it, onTestFinished } from 'vitest';
import { folderOfTest } from '../../test/kit/folder.ts';
import { environmentOfUser, startInstances } from './instances.ts';
import type { Limiter } from './limiters.ts';
import { root } from './root.ts';

/** A server that takes a while to end, and then leaves a file. */
const SERVER = `
  const { createServer } = require('node:http');
  const { writeFileSync } = require('node:fs');
  const { PORT, REDIS_URL } = process.env;
  process.on('SIGTERM', () => setTimeout(() => { writeFileSync(PORT, REDIS_URL); process.exit(0); }, 200));
  createServer().listen(Number(PORT), '127.0.0.1');`;

async function start(command: string): Promise<{ folder: string; instances: Promise<Limiter[]> }> {
  const folder = folderOfTest();
  const supervisor = new Supervisor();
  onTestFinished(() => supervisor.close());
  await writeFile(join(folder, 'server.cjs'), SERVER);
  const instances = startInstances({
    supervisor,
    name: 'api',
    command: `cd ${folder}\n${command}`,
    count: 2,
    redisUrl: 'redis://:secret@127.0.0.1:1',
    secrets: ['secret'],
    signal: new AbortController().signal,
  });
  return { folder, instances };
}

describe('instances that a command of the user starts', () => {
  // The second has a shell that waits for the server.
  it.each(['', '; true'])('have a port each, and end in their own time: server%s', async (rest) => {
    const { folder, instances } = await start(`${process.execPath} server.cjs${rest}`);
    const started = await instances;
    const ports = started.map(({ port }) => String(port));
    expect(new Set(ports).size).toBe(2);
    await Promise.all(started.map(({ process }) => process.stop()));
    expect((await readdir(folder)).sort()).toEqual([...ports, 'server.cjs'].sort());
    expect(await readFile(join(folder, ports[0] ?? ''), 'utf8')).toBe('redis://:secret@127.0.0.1:1');
  });

  it('report their output if they end, without the password of Redis', async () => {
    const { instances } = await start('echo cannot reach $REDIS_URL; exit 3');
    await expect(instances).rejects.toMatchObject({
      code: 'API_NOT_STARTED',
      message: expect.stringMatching(/status 3[^]*cannot reach redis:\/\/:\*\*\*@/) as string,
    });
  });
});

it('the environment of a user lacks what this project adds', () => {
  const own = join(root, 'node_modules', '.bin');
  const cache = join(root, 'node_modules', '.cache');
  const env = { PATH: [own, '/usr/bin'].join(delimiter), NODE_COMPILE_CACHE: cache };
  expect(environmentOfUser({ ...env, A: '1' })).toEqual({ PATH: '/usr/bin', A: '1' });
  const others = { PATH: '/bin', NODE_COMPILE_CACHE: '/tmp/x' };
  expect(environmentOfUser(others)).toEqual(others);
});
