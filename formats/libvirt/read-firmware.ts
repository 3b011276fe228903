import type { BootClass, Firmware } from '../../src/machine/spec.ts';
import type { Dom } from './dom.ts';
import { countOf, yesOrNo } from './units.ts';

/** What starts the guest, and from what. */
export const readFirmware = (os: Dom | undefined, path: string): Firmware => {
	const features = new Map(
		os
			?.child('firmware')
			?.children('feature')
			.map((feature) => [feature.attribute('name'), feature]),
	);
	const enabled = (name: string) => yesOrNo(features.get(name)?.attribute('enabled'), `os/firmware/feature/@enabled`, path);
	const loader = os?.more().child('loader');
	const secure = yesOrNo(loader?.attribute('secure'), 'os/loader/@secure', path);
	loader?.attribute('readonly');
	return {
		type: os?.attribute('firmware'),
		secureBoot: enabled('secure-boot') ?? secure,
		enrolledKeys: enabled('enrolled-keys'),
		loader: loader?.text(),
		loaderType: loader?.attribute('type'),
		nvram: os?.child('nvram')?.text(),
		smbios: os?.child('smbios')?.attribute('mode'),
		...readBoot(os?.more(), path),
	};
};

/** VMware's names for what libvirt boots from. */
const CLASSES: ReadonlyMap<string, BootClass> = new Map([
	['hd', 'hdd'],
	['cdrom', 'cdrom'],
	['fd', 'floppy'],
	['network', 'net'],
]);

const readBoot = (os: Dom | undefined, path: string): Pick<Firmware, 'bootOrder' | 'bootDelay' | 'bootRetry'> => {
	const isKnown = (boot: Dom): boolean => CLASSES.has(boot.unread().attribute('dev') ?? '');
	const order = os?.children('boot').flatMap((boot) => (isKnown(boot) ? (CLASSES.get(boot.attribute('dev') ?? '') ?? []) : []));
	// A menu that is not shown, or not for a time that is said, is nothing that VMware has; -1 says that it does not try again.
	const said = os?.unread();
	const menu = said?.child('bootmenu')?.attribute('enable') === 'yes' ? os?.child('bootmenu') : undefined;
	const delay = said?.child('bootmenu')?.attribute('timeout') === undefined ? undefined : menu?.attribute('timeout');
	if (delay !== undefined) menu?.attribute('enable');
	const retries = said?.child('bios')?.attribute('rebootTimeout') !== '-1';
	return {
		bootOrder: order && order.length > 0 ? order : undefined,
		bootDelay: countOf(delay, 'os/bootmenu/@timeout', path),
		bootRetry: retries ? countOf(os?.child('bios')?.attribute('rebootTimeout'), 'os/bios/@rebootTimeout', path) : undefined,
	};
};
