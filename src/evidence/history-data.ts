/**
 * Histories of a run in the data of the ConfigMap with its evidence: `history-1.jsonl.gz.b64` and so on, compressed
 * lines in base64. The content of a line depends on the subject; see docs/history-format.md. Pure.
 */
import { gunzipSync, gzipSync } from 'node:zlib';

/** Maximum bytes of all histories of a run. With the evidence that stays well below the 1 MiB of a ConfigMap. */
export const HISTORY_BYTES = 600 * 1024;

/** Maximum characters of all lines of one history: more would block other work for too long while compressing. */
const MAX_CHARACTERS = 24 * 1024 * 1024;
/** The same for an unfinished one, which is written every few seconds. */
const LIVE_CHARACTERS = 512 * 1024;

const KEY = /^history-([1-8])\.jsonl\.gz\.b64$/;

/** Name of the file with the history of the scenario at `index` of the spec, from 0. */
export function historyKey(index: number): string {
  return `history-${index + 1}.jsonl.gz.b64`;
}

/** @returns the contents of the file; undefined: it does not fit into `bytes`, or is too long to be compressed */
export function historyText(
  lines: Iterable<string>,
  { bytes, live }: { readonly bytes: number; readonly live: boolean },
): string | undefined {
  const most = live ? LIVE_CHARACTERS : MAX_CHARACTERS;
  const kept: string[] = [];
  let characters = 0;
  for (const line of lines) {
    characters += line.length + 1;
    if (characters > most) return undefined;
    kept.push(line);
  }
  const text = gzipSync(`${kept.join('\n')}\n`, { level: 4 }).toString('base64');
  return text.length <= bytes ? text : undefined;
}

/**
 * The lines of all histories in a ConfigMap, in the sequence of the scenarios; '': it has none.
 * @throws Error if a file is invalid: anyone with write access to ConfigMaps may have written it
 */
export function historiesIn(data: Readonly<Record<string, unknown>>): string {
  return Object.entries(data)
    .filter(([key]) => KEY.test(key))
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([key, text]) => {
      if (typeof text !== 'string' || text.length > HISTORY_BYTES) throw new Error(`${key} is not a history`);
      try {
        return gunzipSync(Buffer.from(text, 'base64'), { maxOutputLength: MAX_CHARACTERS * 4 }).toString();
      } catch {
        throw new Error(`${key} is not a history`);
      }
    })
    .join('');
}
