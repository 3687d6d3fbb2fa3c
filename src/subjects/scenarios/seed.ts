/** What is drawn in a run comes from its seed, so that a run can be repeated. Pure. */

/** A seed for a run that names none: FNV-1a of its fixture, which is another in each run. */
export function seedOf(fixture: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < fixture.length; i += 1) hash = Math.imul(hash ^ fixture.charCodeAt(i), 0x0100_0193);
  return hash >>> 0;
}

/** Numbers from 0 to below 1, always the same for a seed: mulberry32. */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
