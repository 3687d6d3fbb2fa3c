/** The version of this build, which client, operator and CRD carry, each where the others can read it. */
import packageJson from '../../package.json' with { type: 'json' };
import { GROUP } from './group.ts';

export const RELEASE: string = packageJson.version;

/** On the CRD, and on the Lease of the leading operator: the version of each. */
export const RELEASE_ANNOTATION = `${GROUP}/version`;

/**
 * Whether programs of these versions work together. Before 1.0, a minor version may change the API, so only versions
 * that differ in the patch do.
 */
export function worksWith(one: string, other: string): boolean {
  return minorOf(one) === minorOf(other);
}

function minorOf(version: string): string {
  return version.split('.', 2).join('.');
}
