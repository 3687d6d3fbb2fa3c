/** The checkers of a lock: only accepted behaviour, never more holds than slots, growing tokens, and slots that return. */
import { priceFinding } from '../../checkers/price.ts';
import { proof, record } from '../../checkers/record.ts';
import { podsFinding } from '../../checkers/seen.ts';
import { exclusion } from './exclusion.ts';
import { fencing } from './fencing.ts';
import { lockFold } from './holds.ts';
import { service } from './service.ts';
import { slotsReturn } from './slots-return.ts';

const pods = { ...lockFold, name: 'pods', finding: podsFinding };
const price = { ...lockFold, name: 'price', finding: priceFinding };

export const LOCK_CHECKERS = [record, proof, exclusion, fencing, service, slotsReturn, price, pods] as const;
