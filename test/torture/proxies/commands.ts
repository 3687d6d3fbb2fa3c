/** Reads the commands that a client sends to Redis: arrays of bulk strings, and nothing else. */

export class CommandReader {
  #pending = Buffer.alloc(0);

  /** The commands that are complete with this chunk. @throws SyntaxError where it is no array of bulk strings */
  read(chunk: Buffer): string[][] {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    const commands: string[][] = [];
    for (;;) {
      const found = this.#next();
      if (!found) return commands;
      commands.push(found.args);
      this.#pending = this.#pending.subarray(found.end);
    }
  }

  #next(): { args: string[]; end: number } | undefined {
    const head = this.#line(0, '*');
    if (!head) return undefined;
    const args: string[] = [];
    let at = head.end;
    while (args.length < head.number) {
      const length = this.#line(at, '$');
      if (!length) return undefined;
      const end = length.end + length.number;
      if (this.#pending.length < end + 2) return undefined;
      args.push(this.#pending.toString('utf8', length.end, end));
      at = end + 2;
    }
    return { args, end: at };
  }

  #line(at: number, sign: string): { number: number; end: number } | undefined {
    const end = this.#pending.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const line = this.#pending.toString('utf8', at, end);
    const number = Number(line.slice(1));
    if (line[0] !== sign || !Number.isInteger(number))
      throw new SyntaxError(`no command begins with ${line[0]}`);
    return { number, end: end + 2 };
  }
}
