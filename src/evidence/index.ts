/** The interface of this folder. */
export * from './bundle.ts';
export * from './config-map.ts';
export * from './diagnosis.ts';
export * from './history-data.ts';
export * from './recorder.ts';
export * from './relative-to-first.ts';
export * from './run-evidence.ts';
export * from './thin.ts';
