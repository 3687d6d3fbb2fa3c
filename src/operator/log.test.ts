import { describe, expect, it } from 'vitest';
import type { ChaosDemo } from '../api/index.ts';
import { createLogger, type Logger, loggerFor } from './log.ts';

function capture(): { log: Logger; text: () => string; lines: () => Record<string, unknown>[] } {
  const written: string[] = [];
  const log = createLogger(
    { level: 'info', identity: 'operator-0' },
    { write: (line) => void written.push(line) },
  );
  return {
    log,
    text: () => written.join(''),
    lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

describe('createLogger', () => {
  it('writes one JSON line with level, time and the process it comes from', () => {
    const { log, lines } = capture();
    log.info({ port: 8080 }, 'listening');
    log.debug({}, 'not at this level');
    expect(lines()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
        app: 'chaosdemo-operator',
        identity: 'operator-0',
        port: 8080,
        msg: 'listening',
      },
    ]);
  });

  it('writes what a terminal or a pipeline would act on as escapes of JSON', () => {
    const { log, lines, text } = capture();
    const msg = 'a\u001b[31mb\u009b31mc\u202ed\u{e0041}\n::error::e ##vso[task.complete]';
    log.warn({ err: new Error('##[error]no') }, msg);
    // oxlint-disable-next-line no-control-regex -- these are what it is about
    expect(text().trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\p{Cf}]|##/u);
    expect(lines()).toMatchObject([{ msg, err: { message: '##[error]no' } }]);
  });

  it('blanks members named like secrets, three levels deep', () => {
    const { log, text } = capture();
    const store = { host: 'h', password: 'hunter2' };
    log.info({ password: 'hunter2', store, target: { store }, session: { target: { store } } }, 'opened');
    log.info({ headers: { authorization: 'Bearer hunter2' }, token: 'hunter2' }, 'sent');
    expect(text()).not.toContain('hunter2');
    expect(text()).toContain('"host":"h"');
  });

  it('writes of an error its kind, code and causes, but not what else hangs on it', () => {
    const { log, text, lines } = capture();
    const refused = Object.assign(new Error('WRONGPASS invalid username-password pair'), {
      command: { name: 'auth', args: ['chaosdemo', 'hunter2'] },
    });
    const error = Object.assign(new Error('store-0 refuses', { cause: refused }), {
      code: 'E1',
      status: 403,
    });
    log.error({ err: error }, 'cannot start');
    expect(text()).not.toContain('hunter2');
    expect(lines()[0]?.['err']).toMatchObject({
      type: 'Error',
      message: 'store-0 refuses',
      code: 'E1',
      status: 403,
      cause: { message: 'WRONGPASS invalid username-password pair' },
    });
  });
});

it('loggerFor puts the place into every line and leaves out what is not known', () => {
  const { log, lines } = capture();
  const metadata = { namespace: 'shop', name: 'demo' };
  loggerFor(log, { metadata, status: { run: { number: 3 } } } as ChaosDemo).info({}, 'here');
  expect(lines()[0]).toMatchObject({ namespace: 'shop', name: 'demo', run: 3 });
  expect(lines()[0]).not.toHaveProperty('chapter');
});
