/** Finds where commands end in the bytes that a client of Redis sends, and what they are. */
import { RespScanner, TEXT } from './resp.ts';

/** Characters of a name that are read; longer ones are of no interest. */
const MOST_TEXT = 40;

/** After these, Redis sends replies without a request, or none for one, so pending replies cannot be counted. */
const UNCOUNTABLE = new Set(
  'SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE MONITOR SYNC PSYNC'.split(' '),
);

/** Nothing: an empty line or array, to which Redis does not reply. */
export type CommandKind = 'Nothing' | 'Ping' | 'Other';

export class RequestScanner extends RespScanner {
  /** Arguments of a command, and bytes of one, that Redis accepts. */
  protected readonly most = { elements: 1_048_576, bytes: 512 * 1024 * 1024 };
  /** The name of the command and the argument after it, or its line, as far as they are read. */
  #words: string[] = [];
  #isLine = false;
  /** Whether the current element is one of these. */
  #isWord = false;
  #kind: CommandKind = 'Nothing';

  /** Of the command that ended last. */
  get kind(): CommandKind {
    return this.#kind;
  }

  protected typeOf(first: string, isFirst: boolean): string | undefined {
    if (isFirst) {
      this.#words = [];
      if (first === '*') return first;
    }
    this.#isLine = isFirst;
    this.#isWord = this.#words.length < 2;
    if (this.#isWord) this.#words.push('');
    if (!isFirst) return first === '$' ? first : undefined;
    // TLS, for example: no line of text begins so.
    return first < ' ' && first !== '\r' && first !== '\n' ? undefined : TEXT;
  }

  protected override onText(chunk: Buffer, from: number, to: number): void {
    const word = this.#words.at(-1) ?? '';
    if (!this.#isWord || word.length >= MOST_TEXT) return;
    this.#words.splice(-1, 1, word + chunk.toString('latin1', from, Math.min(to, from + MOST_TEXT)));
  }

  protected override onEnd(): boolean {
    const [name = '', next] = this.#words.join(' ').trim().toUpperCase().split(/\s+/);
    const isNothing = this.#words.length === 0 || (this.#isLine && name === '');
    this.#kind = isNothing ? 'Nothing' : name === 'PING' && next === undefined ? 'Ping' : 'Other';
    return !UNCOUNTABLE.has(name) && !(name === 'CLIENT' && next === 'REPLY');
  }
}
