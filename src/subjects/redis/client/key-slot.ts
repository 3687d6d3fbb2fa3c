/**
 * In which slot of a Cluster a key is, and a tag that puts a key into a given slot. Pure. The function is that of the
 * Cluster specification: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
 */

/** Slots of a Cluster. */
export const SLOTS = 16_384;

/** Polynomial of CRC16-XMODEM. */
const POLYNOMIAL = 0x1021;

/** The checksum of each single byte. */
const OF_BYTE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
  return crc;
});

/** The slot of a key without braces, or of the tag within them; at least 0 and below {@link SLOTS}. @param tag ASCII */
export function slotOf(tag: string): number {
  let crc = 0;
  for (let i = 0; i < tag.length; i += 1) {
    crc = ((crc << 8) & 0xffff) ^ (OF_BYTE[(crc >> 8) ^ tag.charCodeAt(i)] ?? 0);
  }
  return crc % SLOTS;
}

/** Every slot has a tag below this, which a test shows. */
const TAGS = 109_758;

let smallest: Int32Array | undefined;

/** The smallest number that is a tag of each slot. */
function smallestTags(): Int32Array {
  if (smallest) return smallest;
  smallest = new Int32Array(SLOTS).fill(TAGS);
  for (let tag = TAGS - 1; tag >= 0; tag -= 1) smallest[slotOf(String(tag))] = tag;
  return smallest;
}

/**
 * The part of a key, as in `{42}:`, that puts it into one of these slots: that with the smallest number, so that all
 * sessions use the same.
 * @param slots at least one
 */
export function tagFor(slots: Iterable<number>): string {
  const tags = smallestTags();
  let tag = TAGS;
  for (const slot of slots) tag = Math.min(tag, tags[slot] ?? TAGS);
  return `{${tag}}:`;
}
