import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderOfFile } from '../../../test/kit/folder.ts';
import { readCa, readKey, readProfiles } from './read-profiles.ts';

const folder = folderOfFile();

const write = async (name: string, content: string): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
};

describe('the file of profiles', () => {
  it('is read as YAML or JSON, with its keys', async () => {
    const key = await write('key', ' sk-0123456789\n');
    const yaml = `profiles:\n- {name: a, kind: openai-compatible, baseURL: "https://h/v1", model: m, apiKeyFile: ${key}}\n`;
    const json = '{"profiles": []}';
    expect(await readProfiles(await write('p.yaml', yaml))).toMatchObject([{ name: 'a', timeout: 45_000 }]);
    expect(await readProfiles(await write('p.json', json))).toEqual([]);
    expect(await readKey(key)).toBe('sk-0123456789');
  });

  it.each([
    ['what is not there', undefined, /cannot be read \(ENOENT\)/],
    ['neither YAML nor JSON', 'profiles: [sk-secret', /neither YAML nor JSON/],
    ['aliases', `a: &a [x]\nprofiles: [*a, *a]`, /neither YAML nor JSON/],
    ['wrong profiles', 'profiles: [{name: x}]', /these profiles cannot be used/],
  ])('is refused by name for %s', async (name, content, message) => {
    const path = join(folder, `${name}.yaml`);
    if (content !== undefined) await writeFile(path, content);
    const error = await readProfiles(path).then(String, (thrown: Error) => thrown.message);
    expect(error).toMatch(message);
    expect(error).toContain(path);
    expect(error).not.toContain('secret');
  });

  it('is refused if a key or an authority of it cannot be used', async () => {
    const profile = (member: string): string =>
      `profiles:\n- {name: a, kind: openai-compatible, baseURL: "https://h/v1", model: m, ${member}}\n`;
    const gone = await write('gone.yaml', profile(`apiKeyFile: ${join(folder, 'no-such-file')}`));
    await expect(readProfiles(gone)).rejects.toThrow(/no-such-file: .*cannot be read/);
    const wholeFolder = await write('folder.yaml', profile(`apiKeyFile: ${folder}`));
    await expect(readProfiles(wholeFolder)).rejects.toThrow(`${folder}: it cannot be read (EISDIR)`);
    const ca = await write('ca.pem', 'no certificate');
    const wrong = await write('wrong.yaml', profile(`caFile: ${ca}`));
    await expect(readProfiles(wrong)).rejects.toThrow(/ca\.pem: .*no certificate/);
    await expect(readCa(ca)).rejects.toThrow(/PEM/);
  });

  it.each(['', 'short', 'two words here', 'tab\tinside-it', 'newline\ninside-it', 'Schlüssel-0123'])(
    'takes no key like %j, and does not repeat it',
    async (content) => {
      const error = await readKey(await write('bad-key', content)).catch((thrown: Error) => thrown.message);
      expect(error).toMatch(/holds no API key/);
      if (content !== '') expect(error).not.toContain(content);
    },
  );
});
