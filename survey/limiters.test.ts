import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { programOf } from './runner/install.ts';
import type { Ecosystem } from './runner/limiter.ts';
import { limiterNames, loadLimiter } from './runner/limiters.ts';

/** How a lock file says that it pins a package to a version. */
const pins: Readonly<Record<Ecosystem, { file: string; pin: (name: string, version: string) => RegExp }>> = {
  npm: {
    file: 'package-lock.json',
    pin: (name, version) =>
      new RegExp(`"node_modules/${literally(name)}": \\{\\s+"version": "${literally(version)}"`),
  },
  pip: {
    file: 'requirements.txt',
    pin: (name, version) => new RegExp(`^${name}==${literally(version)} `, 'm'),
  },
  go: {
    file: 'go.mod',
    pin: (name, version) => new RegExp(`\\s${literally(name)} ${literally(version)}\\s`),
  },
  maven: {
    file: 'pom.xml',
    pin: (name, version) => {
      const [group = '', artifact = ''] = name.split(':').map(literally);
      const element = (tag: string, text: string): string => `<${tag}>${text}</${tag}>\\s+`;
      return new RegExp(
        element('groupId', group) + element('artifactId', artifact) + element('version', literally(version)),
      );
    },
  },
};

describe.each(limiterNames())('the description of %s', async (folder) => {
  const limiter = await loadLimiter(folder);

  it('names its folder', () => {
    expect(limiter.name).toBe(folder);
  });

  it('names the versions that its lock file pins', async () => {
    const { file, pin } = pins[limiter.ecosystem];
    const lock = await readFile(join(programOf(folder), file), 'utf8');
    for (const [name, version] of [
      [limiter.package, limiter.version] as const,
      ...Object.entries(limiter.besides),
    ]) {
      expect(lock).toMatch(pin(name, version));
    }
  });

  it('has distinct variants, and the first one sets nothing', () => {
    const names = limiter.variants.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const settings = limiter.variants.map(({ env }) => JSON.stringify(env));
    expect(new Set(settings).size).toBe(settings.length);
    expect(limiter.variants[0]).toMatchObject({ name: 'default', env: {} });
  });

  it('quotes no more than a short sentence, from a page that can be looked up', () => {
    const windows = [limiter.window, ...limiter.variants.map(({ window }) => window)];
    const said = limiter.variants.map(({ saysOfFailure }) => saysOfFailure);
    for (const saying of [...windows.map((window) => window?.saidBy), ...said]) {
      if (!saying) continue;
      expect(saying.quote.length).toBeLessThan(140);
      expect(saying.url).toMatch(/^https:\/\//);
    }
  });

  it('has a placeholder for the caller in its request', () => {
    expect(JSON.stringify(limiter.request)).toContain('{key}');
  });
});

function literally(text: string): string {
  return text.replaceAll(/[.*+?^$|()[\]\\{}/]/g, '\\$&');
}
