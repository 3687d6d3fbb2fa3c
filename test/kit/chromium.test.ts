import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { program, programs } from '../fixtures/local/binaries/programs.ts';
import { ensureChromium } from './chromium.ts';

const progress = (): void => {};

describe('ensureChromium', { timeout: 300_000 }, () => {
  it('passes by a program of that name that is none', async () => {
    const PATH = await programs({
      'chromium-browser': 'echo "Command requires the chromium snap" >&2; exit 1',
      'google-chrome': 'echo "Google Chrome 150.0.7871.100 "',
    });
    expect(await ensureChromium({ env: { PATH }, progress })).toEqual({
      path: join(PATH, 'google-chrome'),
      version: '150.0.7871.100',
    });
  });

  it.skipIf(process.platform === 'darwin')(
    'reports what it found, and what to do, if it cannot install',
    async () => {
      const none = { PATH: await programs({}) };
      await expect(ensureChromium({ env: none, progress, root: true })).rejects.toMatchObject({
        code: 'BROWSER_MISSING',
        message: expect.stringMatching(/^neither Chromium nor Chrome .*PATH, .*no apt-get$/),
        remedy: expect.stringContaining('apt-get install chromium'),
      });
      const broken = { PATH: await programs({ chromium: 'exit 127', 'apt-get': 'exit 1' }) };
      await expect(ensureChromium({ env: broken, progress, root: false })).rejects.toMatchObject({
        message: expect.stringMatching(/chromium .*not run, .*only root/),
      });
    },
  );

  it.skipIf(process.platform === 'darwin')(
    'installs the package as root, one installation at a time',
    async () => {
      const folder = await programs({});
      const env = { PATH: folder, XDG_CACHE_HOME: join(folder, 'cache') };
      const policyFile = join(folder, 'policy-rc.d');
      await program(
        folder,
        'apt-get',
        [
          `echo "$1" >> ${folder}/calls`,
          // Two at a time would leave each other's.
          `/bin/mkdir ${folder}/busy || exit 100`,
          '/bin/sleep 0.2',
          `/bin/rmdir ${folder}/busy`,
          `[ "$1" = install ] || exit 0`,
          `printf '#!/bin/sh\\necho "Chromium 156.0.8078.108 built on Debian"\\n' > ${folder}/chromium.new`,
          `/bin/chmod +x ${folder}/chromium.new; /bin/mv ${folder}/chromium.new ${folder}/chromium`,
        ].join('\n'),
      );
      const each = async () => await ensureChromium({ env, progress, root: true, policyFile });
      const found = { path: join(folder, 'chromium'), version: '156.0.8078.108' };
      expect(await Promise.all([each(), each()])).toEqual([found, found]);
      expect(await readFile(join(folder, 'calls'), 'utf8')).toBe('update\ninstall\nupdate\ninstall\n');
    },
  );
});
