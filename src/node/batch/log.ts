import fs from 'node:fs';
import { redact } from '../../bytes/redact.ts';
import { AccessError } from '../../errors.ts';
import { accessError } from '../file.ts';
import { openOwn } from './own.ts';

/** The log of a job, for whoever wants to know more than its record says. */
export type JobLog = {
	/** Add to it, without secrets. Once something could not be written, nothing more is. */
	write(text: string): void;
	/** Why it is not all there, if it is not. */
	failure(): string | undefined;
	close(): void;
};

/** Open a log to add to it. Nothing of it throws: a job is worth more than its log. */
export const openLog = (name: string): JobLog => {
	let failed: string | undefined;
	const attempt = <T>(act: () => T): T | undefined => {
		try {
			return act();
		} catch (cause) {
			const { message } = cause instanceof AccessError ? cause : accessError('cannot be written', name, cause);
			failed ??= `${name}: the log ends early; ${message}`;
			return undefined;
		}
	};
	const fd = attempt(() => openOwn(name, fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_APPEND));
	return {
		write(text) {
			if (fd !== undefined && failed === undefined) attempt(() => fs.writeFileSync(fd, redact(text)));
		},
		failure: () => failed,
		close() {
			if (fd !== undefined) attempt(() => fs.closeSync(fd));
		},
	};
};
