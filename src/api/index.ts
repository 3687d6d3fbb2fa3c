/** The interface of the API of a ChaosDemo. */

export * from '@chaosdemo/settings/duration';
export * from './chaos-demo.ts';
export * from './conditions.ts';
export * from './diagnosis-text.ts';
export * from './group.ts';
export * from './release.ts';
export * from './run-key.ts';
export * from './schema-parts.ts';
export * from './shell.ts';
export * from './spec.ts';
export * from './status.ts';
export * from './subject-api.ts';
export * from './terminal-text.ts';
export * from './text.ts';
export * from './words.ts';
