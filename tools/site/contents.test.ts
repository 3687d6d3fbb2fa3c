import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { contentsOf, heroOf } from './contents.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

it('the home page of the site begins as README.md does, with its three doors', () => {
  const { actions, tagline, text } = heroOf(root);
  expect(text).toMatch(/\?$/);
  expect(tagline).toMatch(/^ChaosDemo .*[^\]]\.$/);
  expect(actions.map(({ link }) => link)).toEqual([
    '/docs/demo.md',
    '/docs/your-limiter.md#test-on-your-machine',
    '/docs/survey.md',
  ]);
});

it('the site groups the pages as README.md does, each with a title', () => {
  const groups = contentsOf(root);
  const names = ['Tutorials', 'How-to', 'Reference', 'Explanation', 'Research', 'Project'];
  expect(groups.map(({ text }) => text)).toEqual(names);
  expect(groups.flatMap(({ items }) => items).filter(({ text }) => text === '')).toEqual([]);
});
