/** Redis stalls: its writes wait, reads are answered, and connections stay open. That is the pause, and nothing besides. */
import { FencedPause } from '../fenced-pause.ts';

export class Stall extends FencedPause {}
