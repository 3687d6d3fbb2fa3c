/**
 * Histories as JSON Lines, the format of docs/evidence.md: one object a line, a `setup` before the events of each
 * history, in the order in which they became known. Several histories of a run follow each other in one file.
 */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { truncate } from '../../api/index.ts';
import type { HistoryDigest } from '../../engine/observed.ts';
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
  #lines = 0;

  add(lines: readonly string[]): void {
    this.#lines += lines.length;
    for (const line of lines) this.#hash.update(`${line}\n`);
  }

  /** Of the lines so far. */
  get value(): HistoryDigest {
    return { lines: this.#lines, sha256: this.#hash.copy().digest('hex') };
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
  digest(): HistoryDigest {
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
  let [number, histories, events, empty] = [0, 0, 0, 0];
  for await (const line of lines) {
    number += 1;
    if (line === '') {
      empty += 1;
      if (empty > MOST_EMPTY)
        throw new HistoryFormatError(`line ${number}: there are more than ${MOST_EMPTY} empty lines`);
      continue;
    }
    const fail = (why: string): never => {
      throw new HistoryFormatError(`line ${number}: ${why}`);
    };
    if (line.length > MOST_LINE) fail(`it has more than ${MOST_LINE} characters`);
    const value = parseJson(line, fail);
    if (kindOf(value) === 'setup') {
      [histories, events] = [histories + 1, 0];
      if (histories > MOST_HISTORIES)
        fail(`it begins history ${histories}, and a file may have ${MOST_HISTORIES}`);
      const { version } = value as { readonly version?: unknown };
      if (version !== HISTORY_VERSION) {
        const found = version === undefined ? 'missing' : truncate(JSON.stringify(version), 64);
        fail(`its version is ${found}, and this program reads ${HISTORY_VERSION}`);
      }
      const setup = reader.schemaOf(value as object).safeParse(value);
      if (!setup.success) fail(issueOf(setup.error));
      else call(() => reader.setup(setup.data, line), fail);
      continue;
    }
    if (histories === 0) fail('there is no setup before it');
    events += 1;
    if (events > MOST_EVENTS) fail(`there are more than ${MOST_EVENTS} events`);
    const event = historyEvent.safeParse(value);
    if (!event.success) fail(issueOf(event.error));
    else call(() => reader.event(event.data, line), fail);
  }
  if (histories === 0) throw new HistoryFormatError('the file holds no history');
}

type Fail = (why: string) => never;

function parseJson(line: string, fail: Fail): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return fail('it is no JSON');
  }
}

function call(read: () => void, fail: Fail): void {
  try {
    read();
  } catch (error) {
    if (error instanceof RangeError) fail(error.message);
    throw error;
  }
}

function kindOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
}

interface Issues {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
}

function issueOf({ issues: [issue] }: Issues): string {
  const path = issue?.path.map(String).join('.') ?? '';
  return `${path === '' ? '' : `${path}: `}${issue?.message ?? 'it is no event'}`;
}
