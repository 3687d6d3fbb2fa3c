/** Models as providers. Import it where profiles are configured, and there only: `await import(...)`. */
export { ProfilesError } from './profiles.ts';
export { providersOf } from './providers.ts';
export { readProfiles } from './read-profiles.ts';
