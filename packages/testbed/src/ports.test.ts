import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { freePort } from './ports.ts';

const PICKS = 300;
/** Prints the ports that it got. */
const OTHER = `
  const { freePort } = await import(${JSON.stringify(fileURLToPath(new URL('ports.ts', import.meta.url)))});
  const ports = [];
  for (let i = 0; i < ${PICKS}; i++) ports.push(await freePort());
  console.log(ports.join(' '));
`;

it('gives a port once, also to other processes', async () => {
  const own = new Set(await Promise.all(Array.from({ length: PICKS }, () => freePort())));
  expect(own.size).toBe(PICKS);
  // With 300 of 12,000 reserved, 300 further picks without a look at them meet none with a chance of 0.05 %.
  const args = ['--input-type=module', '--eval', OTHER];
  const others = execFileSync(process.execPath, args, { encoding: 'utf8' }).trim().split(' ').map(Number);
  expect(others).toHaveLength(PICKS);
  expect(others.filter((port) => own.has(port))).toEqual([]);
});
