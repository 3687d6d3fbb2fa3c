/** Settings of a program from flags, environment and defaults. */
export * from './settings.ts';
