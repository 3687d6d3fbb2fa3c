/** Room without end, for tests of something else. */
import type { TrafficRoom } from './traffic-room.ts';

export const endlessRoom: TrafficRoom = () => ({ release: () => undefined });
