/**
 * In which slot of a Cluster a key is, and a tag that puts a key into one of some slots. Pure. The function is that of
 * the Cluster specification: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
 */

/** Slots of a Cluster. */
export const SLOTS = 16_384;

/** First and last slot of each range, as a node reports them. */
export type SlotRanges = readonly (readonly [number, number])[];

/** Polynomial of CRC16-XMODEM. */
const POLYNOMIAL = 0x1021;

/** The checksum of each single byte. */
const OF_BYTE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
  return crc;
});

/**
 * The slot of a key, at least 0 and below {@link SLOTS}: by what is between its first brace and the next closing one, if
 * that is not empty, or else by all of it.
 */
export function slotOf(key: string): number {
  // One character for each byte.
  const bytes = Buffer.from(key, 'utf8').toString('latin1');
  const open = bytes.indexOf('{');
  const close = open === -1 ? -1 : bytes.indexOf('}', open);
  return slotOfBytes(close > open + 1 ? bytes.slice(open + 1, close) : bytes);
}

function slotOfBytes(bytes: string): number {
  let crc = 0;
  for (let i = 0; i < bytes.length; i += 1) {
    crc = ((crc << 8) & 0xffff) ^ (OF_BYTE[(crc >> 8) ^ bytes.charCodeAt(i)] ?? 0);
  }
  return crc % SLOTS;
}

/** Each slot of these ranges. */
export function* slotsIn(ranges: SlotRanges): Generator<number> {
  for (const [first, last] of ranges) for (let slot = first; slot <= last; slot += 1) yield slot;
}

/**
 * The part of a key, as in `{42}:`, that puts it into one of these slots: that with the smallest number, so that all
 * sessions use the same. Every slot has a tag below 109,758.
 * @param ranges with at least one slot
 */
export function tagFor(ranges: SlotRanges): string {
  const own = new Set(slotsIn(ranges));
  let tag = 0;
  while (!own.has(slotOfBytes(String(tag)))) tag += 1;
  return `{${tag}}:`;
}
