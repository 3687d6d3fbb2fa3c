import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { namespaceOf, parseManifest, readManifest } from './manifest.ts';

const DEMO = `
apiVersion: chaosdemo.dev/v1alpha1
kind: ChaosDemo
metadata: { name: demo, namespace: ratelimiter }
spec: {}
`;

describe('the file of run -f', () => {
  it('holds one ChaosDemo, in YAML or JSON', () => {
    const demo = parseManifest('a', `# a comment\n---\n${DEMO}`);
    expect(demo.metadata.name).toBe('demo');
    expect(parseManifest('a', JSON.stringify(demo))).toEqual(demo);
  });

  it.each([
    [DEMO.replace('v1alpha1', 'v9'), /holds a ChaosDemo of chaosdemo.dev\/v9/],
    [DEMO.replace('name: demo, ', ''), /metadata.name is missing/],
    ['just text', /holds a undefined of undefined/],
    [
      `a: &a [x,x]\n${Array.from({ length: 9 }, (_, i) => `b${i}: &b${i} [*a,*a,*a,*a]`).join('\n')}\nc: [${'*b1,'.repeat(200)}]`,
      /./,
    ],
  ])('is refused where it is %j', (text, message) => {
    expect(() => parseManifest('file.yaml', text)).toThrow(message);
  });

  it('run -f uses the namespace of the file or kubeconfig, and rejects two', () => {
    const demo = parseManifest('a', DEMO);
    expect(namespaceOf(demo, 'default', undefined)).toBe('ratelimiter');
    expect(namespaceOf(demo, 'ratelimiter', 'ratelimiter')).toBe('ratelimiter');
    expect(() => namespaceOf(demo, 'other', 'other')).toThrow(/-n is other/);
    const nowhere = parseManifest('a', DEMO.replace(', namespace: ratelimiter', ''));
    expect(namespaceOf(nowhere, 'here', undefined)).toBe('here');
  });
});

it('is waited for on standard input no longer than the user wants', async () => {
  const interrupted = new AbortController();
  const stdin = new PassThrough();
  const read = readManifest('-f', '-', interrupted.signal, stdin);
  interrupted.abort(new Error('stopped by SIGINT'));
  await expect(read).rejects.toThrow('-f -: ');
  // Else it would keep the process.
  expect(stdin.destroyed).toBe(true);
});
