/** Where tests leave what they saw: for people, and not in Git. */
import { fileURLToPath } from 'node:url';

export const ARTEFACTS = fileURLToPath(new URL('../artefacts', import.meta.url));
