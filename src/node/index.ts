/** vconv's Node half: files, threads, and a conversion from one file to another. */
export { type ConvertChainOptions, convertChain, type KeptImage } from './chain.ts';
export { convertFile, type StreamFileOptions, streamFile } from './convert.ts';
export type { ConvertFileOptions, ProvingOptions } from './convert-options.ts';
export { openFile } from './file.ts';
export { type GateOptions, gate } from './gate.ts';
export { type InspectFilesOptions, inspectFiles } from './inspect.ts';
export type { MigrationReport } from './migrate/documents.ts';
export { type MigrateFilesOptions, migrate } from './migrate/migrate.ts';
export { type MigrationPlan, planMigration } from './migrate/plan.ts';
export { nodeMover } from './mover.ts';
export { nodeCodec } from './packer.ts';
export { sha256 } from './sha256.ts';
export { createTarget, freeSpace, type TargetOptions } from './target.ts';
export { type GatherOptions, gatherFacts } from './validate/gather.ts';
export { type MachineValidation, type ValidateMachineOptions, validateMachine } from './validate/machine.ts';
export type { VerifyLevel } from './verify.ts';
