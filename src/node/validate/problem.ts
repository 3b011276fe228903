import { AccessError, BusyError, ChangedError, CorruptError, UnsupportedError, VconvError } from '../../errors.ts';
import type { Problem } from '../../validate/facts.ts';

/** A failure as a fact. @throws what is no failure that vconv means to report. */
export const problemOf = (error: unknown): Problem => {
	if (!(error instanceof VconvError)) throw error;
	const { message, path, offset, field, hint } = error;
	return { kind: kindOf(error), message, path, offset, field, hint };
};

const kindOf = (error: VconvError): Problem['kind'] => {
	if (error instanceof CorruptError) return 'corrupt';
	if (error instanceof ChangedError) return 'changed';
	if (error instanceof BusyError) return 'in-use';
	if (error instanceof AccessError) return error.reason ?? 'denied';
	return error instanceof UnsupportedError && error.reason ? error.reason : 'unsupported';
};
