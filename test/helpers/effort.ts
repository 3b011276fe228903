/**
 * Starts a clock that gives the milliseconds of processor time which this process has spent since: what bounds effort is not to fail because
 * other programs are at work.
 */
export const effort = (): (() => number) => {
	const begun = process.cpuUsage();
	return () => {
		const { user, system } = process.cpuUsage(begun);
		return (user + system) / 1000;
	};
};
