/**
 * The door to tools/offline, which makes on this machine what cannot be fetched: programs, packages, images.
 * It is loaded only where that is needed; nothing else under src/ knows it.
 */
export const offline = async () => await import('../../tools/offline/index.ts');
