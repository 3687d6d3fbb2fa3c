/**
 * Histories as JSON Lines, the format of docs/evidence.md: one object a line, a `setup` before the events of each
 * history, in the order in which they became known. Several histories of a run follow each other in one file.
 */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { truncate } from '../../api/index.ts';
import { type HistoryEvent, historyEvent } from './events.ts';
import { type History, MOST_EVENTS } from './history.ts';
import { HISTORY_VERSION, type Setup } from './setup.ts';

/** Characters of a line. */
const MOST_LINE = 256 * 1024;
/** Histories in a file: a run has at most 8 scenarios. */
const MOST_HISTORIES = 8;
/** Empty lines in a file. */
const MOST_EMPTY = 1000;

/** The problem of a file, with its line. */
export class HistoryFormatError extends Error {
  override readonly name = 'HistoryFormatError';
}

/** The digest of the lines of a history: each with a line feed after it. */
export class LinesDigest {
  readonly #hash = createHash('sha256');

  add(lines: readonly string[]): void {
    for (const line of lines) this.#hash.update(`${line}\n`);
  }

  /** Of the lines so far, as `history` in the status has it. */
  get value(): string {
    return `sha256:${this.#hash.copy().digest('hex')}`;
  }
}

/** The lines of one history that grows, without line ends. */
export class HistoryLines {
  readonly #history: Pick<History, 'dropped' | 'events' | 'setup'>;
  readonly #digest = new LinesDigest();
  /** Lines that are in the digest, and were not taken yet. */
  #untaken: string[] = [];
  #written = 0;
  /** Events that the lines count as dropped. */
  #dropped = 0;

  constructor(history: Pick<History, 'dropped' | 'events' | 'setup'>) {
    this.#history = history;
  }

  /** Those that were not taken yet. Numbers keep all their digits, so what is read equals what was written. */
  take(): string[] {
    this.#write();
    const taken = this.#untaken;
    this.#untaken = [];
    return taken;
  }

  /** Of all lines so far. */
  digest(): string {
    this.#write();
    return this.#digest.value;
  }

  #write(): void {
    const { dropped, events, setup } = this.#history;
    const fresh: (HistoryEvent | Setup)[] = events.slice(Math.max(0, this.#written - 1));
    for (const line of fresh) if (line.kind === 'dropped') this.#dropped += line.events;
    if (this.#written === 0) fresh.unshift(setup);
    this.#written = events.length + 1;
    if (dropped > this.#dropped) fresh.push({ kind: 'dropped', events: dropped - this.#dropped });
    this.#dropped = dropped;
    const lines = fresh.map((line) => JSON.stringify(line));
    this.#digest.add(lines);
    this.#untaken.push(...lines);
  }
}

/**
 * The lines of a text that arrives in pieces, without line ends. Of a line that is too long it yields only the
 * beginning, which {@link readLines} refuses, and nothing after it: so it never keeps more than one piece and one line.
 */
export async function* boundedLines(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
    if (rest.length > MOST_LINE) break;
  }
  if (rest !== '') yield rest;
}

/** Receives the content of a file, line by line. */
export interface HistoryReader {
  /** Of the setup in a line, by its subject. */
  schemaOf(value: object): z.ZodType<Setup>;
  /** `text`: of the line. */
  setup(setup: Setup, text: string): void;
  event(event: HistoryEvent, text: string): void;
}

/**
 * Reads the lines of a file. Nothing in it is trusted: each line is bounded and parsed by type.
 * @throws HistoryFormatError that names the line
 */
export async function readLines(
  lines: Iterable<string> | AsyncIterable<string>,
  reader: HistoryReader,
): Promise<void> {
  const seen = { lines: 0, empty: 0, histories: 0, events: 0 };
  for await (const line of lines) {
    seen.lines += 1;
    try {
      if (line === '') seen.empty = oneMore(seen.empty, MOST_EMPTY, 'empty lines');
      else readLine(line, seen, reader);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new HistoryFormatError(`line ${seen.lines}: ${error.message}`, { cause: error });
    }
  }
  if (seen.histories === 0) throw new HistoryFormatError('the file holds no history');
}

/** @throws RangeError for a line that is none of a history */
function readLine(line: string, seen: { histories: number; events: number }, reader: HistoryReader): void {
  if (line.length > MOST_LINE) throw new RangeError(`it has more than ${MOST_LINE} characters`);
  const value = parseJson(line);
  if (kindOf(value) !== 'setup') {
    if (seen.histories === 0) throw new RangeError('there is no setup before it');
    seen.events = oneMore(seen.events, MOST_EVENTS, 'events');
    reader.event(parsed(historyEvent, value), line);
    return;
  }
  seen.events = 0;
  seen.histories = oneMore(seen.histories, MOST_HISTORIES, 'histories');
  const { version } = value as { readonly version?: unknown };
  if (version !== HISTORY_VERSION) {
    const found = version === undefined ? 'missing' : truncate(JSON.stringify(version), 64);
    throw new RangeError(`its version is ${found}, and this program reads ${HISTORY_VERSION}`);
  }
  reader.setup(parsed(reader.schemaOf(value as object), value), line);
}

/** @throws RangeError for more than `most` of these */
function oneMore(before: number, most: number, of: string): number {
  if (before >= most) throw new RangeError(`there are more than ${most} ${of}`);
  return before + 1;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new RangeError('it is no JSON');
  }
}

function kindOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
}

/** @param at where the value is @throws RangeError with the first problem, and where it is */
export function parsed<T>(schema: z.ZodType<T>, value: unknown, at: readonly string[] = []): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = [...at, ...(issue?.path ?? [])].map(String).join('.');
  throw new RangeError(`${path === '' ? '' : `${path}: `}${issue?.message ?? 'it is no event'}`);
}
