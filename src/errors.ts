/** Where something went wrong, and what to do about it. Every field is for people; none holds a secret. */
export type Detail = {
	/** The file, as the user named it. */
	readonly path?: string | undefined;
	/** Host offset in that file, in bytes. */
	readonly offset?: number | undefined;
	/** The field of the format's specification, or the key of a description. */
	readonly field?: string | undefined;
	/** What to do: a command or a sentence, without the leading word "try". */
	readonly hint?: string | undefined;
	readonly cause?: unknown;
};

/**
 * Every failure that vconv means to report. Anything else that is thrown is a bug in vconv, or the reason of an
 * aborted signal, which is rethrown untouched.
 */
export abstract class VconvError extends Error {
	/** Stable, for scripts. */
	abstract readonly code: string;
	/** What the process exits with. */
	abstract readonly exitCode: number;
	readonly path: string | undefined;
	readonly offset: number | undefined;
	readonly field: string | undefined;
	/** What to do, in the words of the command line: docs/errors.md says what those of the library are. */
	readonly hint: string | undefined;

	constructor(message: string, detail: Detail = {}) {
		super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
		this.name = new.target.name;
		this.path = detail.path;
		this.offset = detail.offset;
		this.field = detail.field;
		this.hint = detail.hint;
	}
}

/** The command line or the options make no sense. */
export class UsageError extends VconvError {
	readonly code = 'USAGE';
	readonly exitCode = 2;
}

/** No format claims these bytes, or more than one does. */
export class UnrecognizedError extends VconvError {
	readonly code = 'UNRECOGNIZED';
	readonly exitCode = 3;
}

/** It is valid, and vconv cannot do it: encryption, an unknown feature, a disk too large for the target. */
export class UnsupportedError extends VconvError {
	readonly code = 'UNSUPPORTED';
	readonly exitCode = 3;
	/** `device`: what is meant is a device of a host, and in no file. Absent where it is anything else. */
	readonly reason: 'device' | undefined;

	constructor(message: string, detail: Detail & { readonly reason?: 'device' | undefined } = {}) {
		super(message, detail);
		this.reason = detail.reason;
	}
}

/** The bytes contradict the format. */
export class CorruptError extends VconvError {
	readonly code = 'CORRUPT';
	readonly exitCode = 4;
}

/** Why a file could not be had: it is not there, the system or vconv's own rules forbid it, or somebody else writes to it. */
export type AccessReason = 'missing' | 'denied' | 'refused' | 'in-use';

/** Reading or writing failed or was refused: a missing file, a reference out of bounds, no space. */
export class AccessError extends VconvError {
	readonly code = 'ACCESS';
	readonly exitCode = 5;
	/** Absent where it is none of these. */
	readonly reason: AccessReason | undefined;

	constructor(message: string, detail: Detail & { readonly reason?: AccessReason | undefined } = {}) {
		super(message, detail);
		this.reason = detail.reason;
	}
}

/** Something is not what it was: the source while it was read, or the parent since its child was made. */
export class ChangedError extends VconvError {
	readonly code = 'CHANGED';
	readonly exitCode = 5;
}

/** What an interrupted run has left cannot be gone on with: the source, the options or vconv are others now, or its notes make no sense. */
export class OutdatedError extends VconvError {
	readonly code = 'OUTDATED';
	readonly exitCode = 5;

	constructor(message: string, { hint, ...detail }: Detail = {}) {
		super(message, { ...detail, hint: ['--restart to begin anew', ...(hint === undefined ? [] : [hint])].join(', or ') });
	}
}

/** The copy differs from the original. */
export class MismatchError extends VconvError {
	readonly code = 'MISMATCH';
	readonly exitCode = 6;
}

/** What a command exits with where it is in its report, and nothing is thrown, that a move has to wait. */
export const BLOCKED = 7;

/** Concerns were found for which a move has to wait. */
export class BlockedError extends VconvError {
	readonly code = 'BLOCKED';
	readonly exitCode = BLOCKED;
}

/** Something else holds what is needed; the same call may succeed later. */
export class BusyError extends VconvError {
	readonly code = 'BUSY';
	readonly exitCode = 75;
}
