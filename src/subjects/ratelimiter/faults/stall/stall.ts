/** Redis stalls: its writes wait, reads are answered, and connections stay open. That is only the pause. */
import { FencedPause } from '../fenced-pause.ts';

export class Stall extends FencedPause {}
