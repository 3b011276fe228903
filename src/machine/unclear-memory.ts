import type { Machine } from './format.ts';

/** What is wrong with what a description says of the memory, where no size could be read from it; undefined where one was, or nothing is said. */
export const unclearMemory = ({ spec, report }: Pick<Machine, 'spec' | 'report'>): string | undefined => {
	const { size } = spec.memory;
	if (size !== undefined) return size > 0 ? undefined : `it is ${size / (1 << 20)} MiB`;
	return report.find(({ keys }) => keys.some((key) => key.toLowerCase() === 'memsize'))?.message;
};
