import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { microTime, objectKey } from './kube-types.ts';

describe('objectKey', () => {
  it('is another for every other object', () => {
    const part = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,5}[a-z0-9])?$/);
    const object = fc
      .record({ namespace: fc.option(part, { nil: undefined }), name: part })
      .map((metadata) => ({
        metadata:
          metadata.namespace === undefined
            ? { name: metadata.name }
            : { ...metadata, namespace: metadata.namespace },
      }));
    fc.assert(
      fc.property(object, object, (one, other) => {
        expect(objectKey(one) === objectKey(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
  });
});

describe('microTime', () => {
  it('has six digits, and names the same time', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('9999-01-01'), noInvalidDate: true }), (date) => {
        expect(microTime(date)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}000Z$/);
        expect(new Date(microTime(date)).getTime()).toBe(date.getTime());
      }),
    );
  });
});
