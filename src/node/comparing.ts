import type { CompareOptions } from '../disk/compare.ts';
import { pages } from './pages.ts';

/** What makes a comparison fast on Node. */
export const comparing: Pick<CompareOptions, 'isEqual' | 'memory'> = {
	isEqual: (a, b) => Buffer.compare(a, b) === 0,
	memory: pages,
};
