import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { program, programs } from '../fixtures/local/binaries/programs.ts';
import { ensureChromium } from './chromium.ts';

const progress = (): void => {};

describe('ensureChromium', { timeout: 300_000 }, () => {
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
