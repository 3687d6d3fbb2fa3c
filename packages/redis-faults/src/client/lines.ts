/**
 * The first `most` lines of a text, without their ends. Lazy, because a server chooses the number of lines. Pure.
 */
export function* linesOf(text: string, most: number): Generator<string> {
  let from = 0;
  for (let left = most; left > 0 && from < text.length; left -= 1) {
    const end = text.indexOf('\n', from);
    const to = end === -1 ? text.length : end;
    yield text.slice(from, text[to - 1] === '\r' ? to - 1 : to);
    from = to + 1;
  }
}
