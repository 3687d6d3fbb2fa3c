import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions, readPinnedVersions } from './versions.ts';

describe('compareVersions', () => {
  it.each([
    ['v1.36.3', 'v1.36.10', -1],
    ['1.26', 'go1.26.0', 0],
    ['go1.27.1', '1.26.9', 1],
    ['v1.36.0-rc.1', 'v1.36.0', 0],
    ['go1.26rc1', '1.26.0', 0],
    ['v1.36.3+build', 'v1.36.3', 0],
  ])('puts %s against %s as %i', (a, b, order) => {
    expect(Math.sign(compareVersions(a, b))).toBe(order);
    expect(Math.sign(compareVersions(b, a))).toBe(order === 0 ? 0 : -order);
  });

  it('orders by number, not by text, whatever the numbers', () => {
    const triple = fc.tuple(fc.nat(999), fc.nat(999), fc.nat(999));
    fc.assert(
      fc.property(triple, triple, (a, b) => {
        const weight = ([major, minor, patch]: [number, number, number]): number =>
          major * 1_000_000 + minor * 1_000 + patch;
        expect(Math.sign(compareVersions(`v${a.join('.')}`, b.join('.')))).toBe(
          Math.sign(weight(a) - weight(b)),
        );
      }),
    );
  });
});

it('readPinnedVersions reads the pins of this clone', async () => {
  const versions = await readPinnedVersions();
  expect(versions.kubernetes).toMatch(/^v1\.\d+\.\d+$/);
  expect(versions.etcd).toMatch(/^v3\.\d+\.\d+$/);
});
