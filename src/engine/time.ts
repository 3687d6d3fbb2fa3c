/** Times in the format of the status. */
/** Milliseconds since the epoch, in the format of the status. */
export function iso(at: number): string {
  return new Date(at).toISOString();
}

/** The reverse of {@link iso}. NaN: the API server accepts more than JavaScript, such as a comma before a fraction. */
export function ms(time: string): number {
  return Date.parse(time);
}
