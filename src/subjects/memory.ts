/** Memory that runs share. */
export interface Memory {
  /** Takes this many bytes; false: not available, and nothing was taken. */
  readonly take: (bytes: number) => boolean;
  readonly give: (bytes: number) => void;
}
