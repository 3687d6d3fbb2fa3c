/**
 * Histories of a run in the data of the ConfigMap with its evidence: `history-1.jsonl.gz.b64` and so on, compressed
 * lines in base64. The content of a line depends on the subject; see docs/history-format.md. Pure.
 */
import { pipeline } from 'node:stream/promises';
import { createGzip, gunzipSync } from 'node:zlib';

/** Maximum bytes of all histories of a run. With the evidence that stays well below the 1 MiB of a ConfigMap. */
export const HISTORY_BYTES = 600 * 1024;

/** Maximum characters of all lines of one history. */
const MAX_CHARACTERS = 24 * 1024 * 1024;
/** Characters that are compressed at once; other work runs in between. */
const SLICE_CHARACTERS = 64 * 1024;
/** Bytes of all histories of a ConfigMap, read back. */
const MOST_BYTES = 4 * MAX_CHARACTERS;

const KEY = /^history-([1-8])\.jsonl\.gz\.b64$/;

/** Name of the file with the history of the scenario at `index` of the spec, from 0. */
export function historyKey(index: number): string {
  return `history-${index + 1}.jsonl.gz.b64`;
}

/**
 * Compresses lines in slices, so that a long history blocks no other work, and stops once it is too long.
 * @returns the contents of the file; undefined: it does not fit into `bytes`, or is too long to be compressed
 */
export async function historyText(lines: Iterable<string>, bytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let left = Math.floor(bytes / 4) * 3;
  try {
    await pipeline(slicesOf(lines), createGzip({ level: 4 }), async (compressed: AsyncIterable<Buffer>) => {
      for await (const chunk of compressed) {
        left -= chunk.length;
        if (left < 0) throw new TooLongError();
        chunks.push(chunk);
      }
    });
  } catch (error) {
    if (error instanceof TooLongError) return undefined;
    throw error;
  }
  return Buffer.concat(chunks).toString('base64');
}

class TooLongError extends Error {
  override readonly name = 'TooLongError';
}

/** @throws TooLongError if there are more than {@link MAX_CHARACTERS} */
function* slicesOf(lines: Iterable<string>): Generator<string> {
  let slice = '';
  let characters = 0;
  for (const line of lines) {
    characters += line.length + 1;
    if (characters > MAX_CHARACTERS) throw new TooLongError();
    slice += `${line}\n`;
    if (slice.length < SLICE_CHARACTERS) continue;
    yield slice;
    slice = '';
  }
  if (slice !== '') yield slice;
}

/**
 * The lines of all histories in a ConfigMap, in the sequence of the scenarios; '': it has none.
 * @throws Error if a file is invalid: anyone with write access to ConfigMaps may have written it
 */
export function historiesIn(data: Readonly<Record<string, unknown>>): string {
  let left = MOST_BYTES;
  return Object.entries(data)
    .filter(([key]) => KEY.test(key))
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([key, text]) => {
      if (typeof text !== 'string' || text.length > HISTORY_BYTES) throw new Error(`${key} is not a history`);
      try {
        const lines = gunzipSync(Buffer.from(text, 'base64'), { maxOutputLength: Math.max(1, left) });
        left -= lines.length;
        return lines.toString();
      } catch {
        throw new Error(`${key} is not a history`);
      }
    })
    .join('');
}
