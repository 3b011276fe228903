/** vconv's portable half: formats, conversion and movers that run in Node, browsers and workers. */
export { diskFormats } from '../formats/index.ts';
export { machineFormats } from '../formats/machines.ts';
export { type Backing, type Conversion, type ConvertOptions, convert, convertStream, type Plan, type StreamOptions } from './api.ts';
export { type ConvertRequest, convertDisk, type Hashing, type Written } from './convert/convert.ts';
export { detect } from './convert/detect.ts';
export { flatten, type Layer, type OpenOptions, openChain, openLayer } from './convert/open.ts';
export { type Profile, profiles } from './convert/profiles.ts';
export type * from './core/codec.ts';
export type * from './core/disk.ts';
export type * from './core/format.ts';
export type { Begun, Journal, Placement, Undertaking } from './core/journal.ts';
export type { LimitName, Limits } from './core/limits.ts';
export type * from './core/mover.ts';
export type * from './core/note.ts';
export type * from './core/proof.ts';
export type * from './core/sink.ts';
export type * from './core/source.ts';
export { type CompareOptions, compareDisks, type Difference } from './disk/compare.ts';
export { overlay } from './disk/overlay.ts';
export { readDisk } from './disk/read.ts';
export { pakoCodec } from './engine/pako.ts';
export { portableMover } from './engine/portable.ts';
export * from './errors.ts';
export type {
	BootloaderFacts,
	DiskBus,
	DiskFacts,
	DiskFlag,
	DriverFact,
	DriverFacts,
	FirmwareFacts,
	GuestReport,
	Incomplete,
	KernelFacts,
	Mark,
	MountFacts,
	NetworkFacts,
	NicModel,
	OperatingSystem,
	PartitionFacts,
	SoftwareFacts,
	VolumeFacts,
} from './guest/facts.ts';
export { type GuestDisk, type InspectOptions, inspectGuest } from './guest/inspect.ts';
export { memorySink, memorySource, memoryTarget } from './io/memory.ts';
export type { Code, Loss, Severity } from './machine/codes.ts';
export { diffMachines, type MachineDifference } from './machine/diff.ts';
export type { FaithfulOptions } from './machine/faithful/context.ts';
export type * from './machine/format.ts';
export { lintMachine } from './machine/lint.ts';
export { targetVersion } from './machine/migrate/hardware-version.ts';
export { type NetRule, parseNetRule, parseNetRules } from './machine/migrate/net-map.ts';
export type * from './machine/migrate/options.ts';
export type { ToVmxOptions } from './machine/migrate/to-vmx-context.ts';
export { type MachinePlan, type PlanRequest, parseMachine, planMachine, printMachine } from './machine/plan.ts';
export type { ReportEntry } from './machine/report.ts';
export type * from './machine/spec.ts';
export { type Proof, parseProof, printProof } from './proof/file.ts';
export { type HashOptions, hashDisk } from './proof/hash.ts';
export type { Leaves } from './proof/leaves.ts';
export { treeRoot } from './proof/tree.ts';
export { type Mismatch, verifyDisk } from './proof/verify.ts';
export type * from './validate/facts.ts';
export type { Category, Concern, Evidence, Rule } from './validate/rule.ts';
export { rules } from './validate/rules/index.ts';
export { type Ability, type Target as MoveTarget, targets } from './validate/targets.ts';
export { isBlocking, targetNamed, type ValidateOptions, validate } from './validate/validate.ts';
