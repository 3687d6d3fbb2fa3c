/** Text as it may stand in a status, an event or evidence that somebody else wrote. */
import * as fc from 'fast-check';

/** Text as nobody means well: controls, wide and combining characters, halves of pairs. */
export const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\u001b[2J',
        '\u001b]0;title\u0007',
        '\u009b31m',
        '\r\n',
        '\u202e',
        '漢字',
        'e\u0301\u0301\u0301',
        '👩‍👩‍👧',
        '\ud800',
        '::error::',
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));
