/** The anchor that GitHub gives a heading of this text; of equal ones on a page, the second ends with -1. */
export function anchorOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}
