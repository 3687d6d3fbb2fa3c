import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SpendingBook, type SpendingStore, type StoredText, WRITE_EVERY_MS } from './spending-book.ts';

const never = new AbortController().signal;
const noon = Date.parse('2026-03-01T12:00:00Z');
const tokens = (count: number) => ({ tokens: count, microDollars: 0 });

beforeEach(() => {
  vi.useFakeTimers({ now: noon });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A store in memory that hands out versions, as an API server does. */
class Kept implements SpendingStore {
  text: string | undefined;
  version = 1;
  writes = 0;
  reads = 0;
  /** Thrown by the next calls. */
  failure: Error | undefined;
  unusable: string | undefined;
  /** What is written is there, and whoever wrote it is not told. */
  loseAnswers = false;

  async read() {
    this.reads += 1;
    return this.#answer();
  }

  async write(text: string, version: string) {
    if (this.failure) throw this.failure;
    if (this.unusable !== undefined) return { unusable: this.unusable };
    if (version !== String(this.version)) return undefined;
    this.writes += 1;
    this.version += 1;
    this.text = text;
    if (this.loseAnswers) throw new Error('it was not answered in time');
    return this.#answer();
  }

  #answer(): StoredText | { unusable: string } {
    if (this.failure) throw this.failure;
    if (this.unusable !== undefined) return { unusable: this.unusable };
    return { text: this.text, version: String(this.version) };
  }
}

const bookOn = (store: SpendingStore, troubles: string[] = []): SpendingBook =>
  new SpendingBook({ now: Date.now, store, onTrouble: (message) => void troubles.push(message) });
const used = (book: SpendingBook, namespace: string): number =>
  book.usedBy('hosted').get(namespace)?.tokens ?? 0;

describe('what profiles have used', () => {
  it('is found again by a process that starts anew, or takes over', async () => {
    const store = new Kept();
    const first = bookOn(store);
    first.add('hosted', 'team-a', { tokens: 100, microDollars: 7 });
    await first.close();
    const second = bookOn(store);
    expect(used(second, 'team-a')).toBe(0);
    await second.refresh(never);
    expect(second.usedBy('hosted').get('team-a')).toEqual({ tokens: 100, microDollars: 7 });
  });

  it('is written at once, and then no more than once in so many seconds', async () => {
    const store = new Kept();
    const book = bookOn(store);
    book.add('hosted', 'team-a', tokens(100));
    await vi.advanceTimersByTimeAsync(0);
    expect(store.writes).toBe(1);
    for (let i = 0; i < 50; i += 1) {
      book.add('hosted', 'team-a', tokens(1));
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(store.writes).toBeLessThanOrEqual(1 + Math.ceil(5000 / WRITE_EVERY_MS));
    await vi.advanceTimersByTimeAsync(WRITE_EVERY_MS);
    expect(JSON.parse(store.text ?? '')).toEqual({
      day: '2026-03-01',
      write: expect.any(String),
      profiles: { hosted: { 'team-a': { tokens: 150, microDollars: 0 } } },
    });
    const { writes } = store;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(store.writes).toBe(writes);
  });

  it('loses nothing and counts nothing twice where two processes write, one after the other', async () => {
    const store = new Kept();
    const [before, after] = [bookOn(store), bookOn(store)];
    before.add('hosted', 'team-a', tokens(100));
    await vi.advanceTimersByTimeAsync(0);
    after.add('hosted', 'team-a', tokens(10));
    after.add('hosted', 'team-b', tokens(5));
    await vi.advanceTimersByTimeAsync(0);
    // Settled late, by a process that leads no more: 40 of the 100 were not used.
    before.add('hosted', 'team-a', tokens(-40));
    await vi.advanceTimersByTimeAsync(WRITE_EVERY_MS);
    await after.refresh(never);
    expect([used(after, 'team-a'), used(after, 'team-b')]).toEqual([70, 5]);
  });

  it('counts what is being written once, also while that fails', async () => {
    const store = new Kept();
    const troubles: string[] = [];
    const book = bookOn(store, troubles);
    store.failure = new Error('the API server is away');
    book.add('hosted', 'team-a', tokens(100));
    for (let i = 0; i < 5; i += 1) {
      await vi.advanceTimersByTimeAsync(WRITE_EVERY_MS);
      expect(used(book, 'team-a')).toBe(100);
    }
    expect(troubles).toEqual(['the API server is away']);
    store.failure = undefined;
    await vi.advanceTimersByTimeAsync(WRITE_EVERY_MS);
    expect(used(book, 'team-a')).toBe(100);
    expect(store.text).toContain('"tokens":100');
  });

  it('counts once what was written although nobody said so, whoever looks first', async () => {
    for (const looks of [false, true]) {
      const store = new Kept();
      const book = bookOn(store);
      store.loseAnswers = true;
      book.add('hosted', 'team-a', tokens(100));
      await vi.advanceTimersByTimeAsync(0);
      expect(store.writes).toBe(1);
      store.loseAnswers = false;
      book.add('hosted', 'team-a', tokens(10));
      if (looks) await book.refresh(never);
      expect(used(book, 'team-a')).toBe(110);
      await vi.advanceTimersByTimeAsync(WRITE_EVERY_MS);
      expect(used(book, 'team-a')).toBe(110);
      expect(store.text).toContain('"tokens":110,');
      await book.close();
    }
  });

  it('is what was added, however the store fails, and however often it is looked at', async () => {
    const step = fc.oneof(
      fc.record({ add: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ wait: fc.integer({ min: 0, max: 2 * WRITE_EVERY_MS }) }),
      fc.record({ store: fc.constantFrom('works', 'is away', 'loses answers', 'is not there') }),
      fc.constant({ looks: true }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        vi.setSystemTime(noon);
        const store = new Kept();
        const book = bookOn(store);
        const is = (how: string): void => {
          store.failure = how === 'is away' ? new Error('away') : undefined;
          store.loseAnswers = how === 'loses answers';
          store.unusable = how === 'is not there' ? 'none' : undefined;
        };
        let sum = 0;
        for (const each of steps) {
          if ('add' in each) {
            book.add('hosted', 'team-a', tokens(each.add));
            sum += each.add;
          } else if ('wait' in each) await vi.advanceTimersByTimeAsync(each.wait);
          else if ('store' in each) is(each.store);
          else await book.refresh(never).catch(() => {});
          expect(used(book, 'team-a')).toBe(sum);
        }
        is('works');
        await book.close();
        const next = bookOn(store);
        await next.refresh(never);
        expect(used(next, 'team-a')).toBe(sum);
      }),
    );
  });

  it('is not guessed: where nobody answers, whoever asks is told so', async () => {
    const store = new Kept();
    store.failure = new Error('the API server is away');
    await expect(bookOn(store).refresh(never)).rejects.toThrow(
      'what was used today cannot be read: the API server is away',
    );
  });

  it('is kept by this process alone where there is no such store, which is told once', async () => {
    const store = new Kept();
    store.unusable = 'there is no ConfigMap';
    const troubles: string[] = [];
    const book = bookOn(store, troubles);
    for (let i = 0; i < 3; i += 1) {
      await book.refresh(never);
      book.add('hosted', 'team-a', tokens(10));
      await vi.advanceTimersByTimeAsync(WRITE_EVERY_MS);
    }
    expect(used(book, 'team-a')).toBe(30);
    expect(troubles).toEqual(['there is no ConfigMap']);
    store.unusable = undefined;
    await book.refresh(never);
    await book.close();
    expect(store.text).toContain('"tokens":30');
  });

  it('begins anew with the day, in memory and in the store', async () => {
    const store = new Kept();
    const book = bookOn(store);
    book.add('hosted', 'team-a', tokens(100));
    await vi.advanceTimersByTimeAsync(0);
    vi.setSystemTime(Date.parse('2026-03-02T00:00:01Z'));
    expect(used(book, 'team-a')).toBe(0);
    await book.refresh(never);
    expect(used(book, 'team-a')).toBe(0);
    book.add('hosted', 'team-b', tokens(1));
    await book.close();
    expect(JSON.parse(store.text ?? '')).toEqual({
      day: '2026-03-02',
      write: expect.any(String),
      profiles: { hosted: { 'team-b': { tokens: 1, microDollars: 0 } } },
    });
  });

  it('is not given back by a clock that was a day ahead for a moment', async () => {
    const store = new Kept();
    const book = bookOn(store);
    book.add('hosted', 'team-a', tokens(100));
    await vi.advanceTimersByTimeAsync(0);
    vi.setSystemTime(noon + 86_400_000);
    expect(used(book, 'team-a')).toBe(0);
    vi.setSystemTime(noon);
    book.add('hosted', 'team-a', tokens(10));
    await book.close();
    expect(store.text).toContain('"tokens":110,');
  });

  it.each([
    ['no JSON', '{'],
    ['something else', '[]'],
    [
      'less than nothing',
      '{"day":"2026-03-01","profiles":{"hosted":{"team-a":{"tokens":-1,"microDollars":0}}}}',
    ],
    ['no number', '{"day":"2026-03-01","profiles":{"hosted":{"team-a":{"tokens":"1e9","microDollars":0}}}}'],
  ])('is written anew where somebody has put %s in its place, which is told', async (_, text) => {
    const store = new Kept();
    store.text = text;
    const troubles: string[] = [];
    const book = bookOn(store, troubles);
    await book.refresh(never);
    expect(troubles).toEqual([expect.stringContaining('it is written anew')]);
    book.add('hosted', 'team-a', tokens(1));
    await book.close();
    expect(store.text).toContain('"team-a":{"tokens":1,');
  });

  it('leaves out who has used nothing in the end', async () => {
    const store = new Kept();
    const book = bookOn(store);
    book.add('hosted', 'team-a', tokens(100));
    await vi.advanceTimersByTimeAsync(0);
    book.add('hosted', 'team-a', tokens(-100));
    await book.close();
    expect(JSON.parse(store.text ?? '')).toMatchObject({ day: '2026-03-01', profiles: {} });
    expect(store.text).not.toMatch(/hosted|team-a/);
  });

  it('is never read from another prototype', async () => {
    const store = new Kept();
    store.text = '{"day":"2026-03-01","profiles":{"__proto__":{"toString":{"tokens":5,"microDollars":0}}}}';
    const book = bookOn(store);
    await book.refresh(never);
    expect(used(book, 'toString')).toBe(0);
    book.add('__proto__', 'constructor', tokens(1));
    await book.close();
    expect(Object.hasOwn(Object.prototype, 'constructor')).toBe(true);
    expect(Object.prototype.constructor).toBe(Object);
    expect(({} as { tokens?: number }).tokens).toBeUndefined();
  });
});
