/**
 * Lets signals and timers in, every `interval` ms at the most: a loop over what is already there never does by itself, and could
 * not be interrupted.
 */
export const breather = (interval = 20): (() => Promise<void>) => {
	let rested = performance.now();
	return async () => {
		if (performance.now() - rested < interval) return;
		await new Promise((resolve) => setTimeout(resolve));
		rested = performance.now();
	};
};
