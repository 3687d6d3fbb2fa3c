import { UsageError } from '@chaosdemo/settings';
import { describe, expect, it } from 'vitest';
import { parsed } from '../../../test/kit/command.ts';
import { type TestOptions, testCommand } from './arguments.ts';
import { targetOf } from './target.ts';

const target = (...args: string[]) => targetOf(parsed(testCommand(), args).opts<TestOptions>());
const REDIS = '--redis=redis://127.0.0.1:6379';

describe('the target of a test', () => {
  it('is every instance of a URL, over the Redis that is named', () => {
    const urls = ['--url=http://127.0.0.1:3000/items?q=$(key)', '--url=http://localhost:3001/items?q=$(key)'];
    expect(target(...urls, '--redis=redis://me:p%40ss@localhost:6380/2')).toMatchObject({
      path: '/items?q=$(key)',
      instances: [
        { host: '127.0.0.1', port: 3000 },
        { host: '127.0.0.1', port: 3001 },
      ],
      redis: { host: '127.0.0.1', port: 6380, username: 'me', password: 'p@ss' },
    });
  });

  it('is a command, with three instances and a new Redis', () => {
    expect(target('--start=node server.js')).toEqual({
      path: '/',
      instances: { command: 'node server.js', count: 3 },
    });
  });

  it.each([
    [[], 'name your API'],
    [['--url=http://127.0.0.1:3000'], 'name the Redis'],
    [['--url=3000', REDIS], 'is not a URL'],
    [['--url=ftp://127.0.0.1', REDIS], 'write http://127.0.0.1:3000/items'],
    [['--url=https://127.0.0.1', REDIS], 'TLS is not supported'],
    [['--url=http://10.0.0.3:3000', REDIS], 'only this machine'],
    [['--url=http://[::1]:3000', REDIS], 'only this machine'],
    [['--url=http://127.0.0.1/a', '--url=http://127.0.0.2/b', REDIS], 'different paths'],
    [['--url=http://127.0.0.1/a', '--url=http://localhost:80/a', REDIS], 'the same instance twice'],
    [['--start= '], '--start is empty'],
    [['--start=x', '--path=items'], 'begin it with /'],
    [['--start=x', '--redis=redis://staging.example.com'], 'only this machine'],
    [['--start=x', '--redis=rediss://127.0.0.1'], 'TLS is not supported'],
    [['--start=x', '--redis=redis://me@127.0.0.1'], 'a user without a password'],
    [['--start=x', '--redis=6379'], 'is not a URL'],
  ])('is refused with what to write: %j', (args, message) => {
    expect(() => target(...args)).toThrow(UsageError);
    expect(() => target(...args)).toThrow(message);
  });

  it.each(['redis://me:secret@10.0.0.1:1', 'rediss://me:secret@127.0.0.1', 'x://me:secret@127.0.0.1'])(
    'is refused without the password of %s',
    (url) => {
      expect(() => target('--start=x', `--redis=${url}`)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('secret') }),
      );
    },
  );
});
