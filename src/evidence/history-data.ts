/**
 * Histories of a run in the data of the ConfigMap with its evidence. A history grows in pieces: each has the lines
 * since the one before it, compressed, in base64, and is never changed. The content of a line depends on the subject;
 * see docs/evidence.md. Pure.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { MAX_SCENARIOS } from './run-evidence.ts';

/** Maximum bytes of all histories of a run. With the rest that stays well below the 1 MiB of a ConfigMap. */
export const HISTORY_BYTES = 768 * 1024;

/** The same before they are compressed: it takes a reader seconds to draw as much. */
const LINE_BYTES = 16 * 1024 * 1024;

/** `history-<scenario>-<attempt>-<piece>`: each from 1. */
const KEY = /^history-([1-8])-([1-9][0-9]{0,2})-([0-9]{4,6})\.jsonl\.gz\.b64$/;

/** Evidence that was read is not as it should be. */
export class EvidenceError extends Error {
  override readonly name = 'EvidenceError';
}

/** The history of one attempt of a scenario, in the files that have it. */
export class HistoryPieces {
  readonly #name: string;
  readonly #files: Record<string, string> = {};
  /** Bytes that are left, compressed, and of lines. */
  #left: readonly [number, number];
  #pieces = 0;
  #isCut = false;

  /** @param index of the scenario in the spec, from 0 @param attempt from 1 @param scenarios of the run, which share the room */
  constructor(index: number, attempt: number, scenarios: number) {
    this.#name = `history-${index + 1}-${attempt}`;
    const share = Math.min(MAX_SCENARIOS, scenarios);
    this.#left = [HISTORY_BYTES / share, LINE_BYTES / share];
  }

  /** Adds lines that follow those before, unless the history has no room for them: then it ends there. */
  add(lines: readonly string[]): void {
    if (this.#isCut || lines.length === 0) return;
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    const text = gzipSync(bytes, { level: 4 }).toString('base64');
    this.#left = [this.#left[0] - text.length, this.#left[1] - bytes.length];
    this.#isCut = Math.min(...this.#left) < 0;
    if (this.#isCut) return;
    this.#pieces += 1;
    this.#files[`${this.#name}-${String(this.#pieces).padStart(4, '0')}.jsonl.gz.b64`] = text;
  }

  get files(): Readonly<Record<string, string>> {
    return this.#files;
  }

  /** Whether lines are missing at its end. */
  get isCut(): boolean {
    return this.#isCut;
  }
}

/**
 * The lines of the last attempt of each scenario in a ConfigMap, by the number of the scenario from 1, in their
 * sequence.
 * @throws EvidenceError if a file is invalid, or a piece is missing: anyone with write access to ConfigMaps may have
 * written it
 */
export function historiesIn(data: Readonly<Record<string, unknown>>): Map<number, string> {
  const keys = Object.keys(data).flatMap((key) => {
    const [, ...numbers] = KEY.exec(key) ?? [];
    const [scenario = 0, attempt = 0, piece = 0] = numbers.map(Number);
    return scenario === 0 ? [] : [{ key, scenario, attempt, piece }];
  });
  let left = LINE_BYTES;
  const read = ({ key, piece }: (typeof keys)[number], i: number): string => {
    const text = data[key];
    if (typeof text !== 'string' || text.length > HISTORY_BYTES || piece !== i + 1)
      throw new EvidenceError(`${key} is not a history`);
    try {
      const lines = gunzipSync(Buffer.from(text, 'base64'), { maxOutputLength: Math.max(1, left) });
      left -= lines.length;
      return lines.toString();
    } catch {
      throw new EvidenceError(`${key} is not a history`);
    }
  };
  const histories = new Map<number, string>();
  for (const scenario of [...new Set(keys.map((key) => key.scenario))].toSorted()) {
    const all = keys.filter((key) => key.scenario === scenario);
    const last = Math.max(...all.map(({ attempt }) => attempt));
    const pieces = all.filter(({ attempt }) => attempt === last).toSorted((a, b) => a.piece - b.piece);
    histories.set(scenario, pieces.map(read).join(''));
  }
  return histories;
}
