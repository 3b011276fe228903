import { createTarget, type TargetOptions } from './target.ts';

/**
 * Write a small file, whole or not at all: see `createTarget`.
 * @throws AccessError if the name is taken and `force` is not set, or it cannot be written; BusyError if another run writes it.
 */
export const writeWhole = async (name: string, text: string, options: TargetOptions = {}): Promise<void> => {
	const target = await createTarget(name, options);
	try {
		await target.main.write(0, new TextEncoder().encode(text));
		await target.commit();
	} catch (error) {
		await target.abandon();
		throw error;
	}
};
