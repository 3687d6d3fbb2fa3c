/**
 * Makes on this machine what cannot be fetched, where no registry of images and no download can be reached:
 * Kubernetes from its Go modules, packages of Debian, and images of both. A tool of the tests and of those
 * who develop here; src/local/offline.ts loads it.
 */
export { installPackages, whyNotInstallable } from './debian.ts';
export { withGo } from './go.ts';
export { buildControlPlane } from './programs.ts';
