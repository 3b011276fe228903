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
	const order = os?.children('boot').flatMap((boot) => CLASSES.get(boot.attribute('dev') ?? '') ?? []);
	const menu = os?.child('bootmenu');
	const shown = yesOrNo(menu?.attribute('enable'), 'os/bootmenu/@enable', path);
	const retry = os?.child('bios')?.attribute('rebootTimeout');
	return {
		bootOrder: order && order.length > 0 ? order : undefined,
		bootDelay: shown ? countOf(menu?.attribute('timeout'), 'os/bootmenu/@timeout', path) : undefined,
		// -1 says that it does not try again.
		bootRetry: retry === '-1' ? undefined : countOf(retry, 'os/bios/@rebootTimeout', path),
	};
};
