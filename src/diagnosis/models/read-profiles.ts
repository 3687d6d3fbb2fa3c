/** Reads the files of profiles: the profiles themselves, keys, and CA certificates. */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { messageOf } from '../../api/index.ts';
import { type ModelProfile, parseProfiles } from './profiles.ts';

/**
 * The profiles of a YAML or JSON file. Keys and certificates are read once as well, so that a wrong path is reported at
 * startup.
 * @throws an error that names the file and lists all problems
 */
export async function readProfiles(file: string): Promise<ModelProfile[]> {
  try {
    const profiles = parseProfiles(parseYaml(await read(file)));
    for (const profile of profiles) {
      if (profile.apiKeyFile !== undefined) await readKey(profile.apiKeyFile);
      if (profile.caFile !== undefined) await readCa(profile.caFile);
    }
    return profiles;
  } catch (error) {
    throw new Error(`${file}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * An API key: one line of printable ASCII; surrounding space is ignored. @throws an error without its content
 */
export async function readKey(file: string): Promise<string> {
  const key = (await read(file)).trim();
  if (!/^[\x21-\x7e]{8,}$/.test(key)) {
    throw new Error(`${file}: it holds no API key: write one line of at least 8 characters without spaces`);
  }
  return key;
}

/** Certificates in PEM. @throws if there is none */
export async function readCa(file: string): Promise<string> {
  const pem = await read(file);
  if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
  throw new Error(`${file}: it holds no certificate: write certificates in PEM`);
}

function parseYaml(text: string): unknown {
  try {
    // Without aliases: they can expand a small file into a huge one.
    return parse(text, { maxAliasCount: 0, logLevel: 'silent' });
  } catch {
    // A parser's message would quote the file.
    throw new Error('it is neither YAML nor JSON');
  }
}

async function read(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${file}: it cannot be read (${error.code ?? 'unknown error'})`);
  });
}
