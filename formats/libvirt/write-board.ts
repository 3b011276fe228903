import type { XmlElement } from '../../src/bytes/xml.ts';
import type { Cpu, Firmware, Platform, VmSpec } from '../../src/machine/spec.ts';
import { element, unlessEmpty } from './build.ts';

const onOff = (on: boolean): string => (on ? 'on' : 'off');
const yesNo = (yes: boolean): string => (yes ? 'yes' : 'no');

export const writeOs = ({ guest, platform, firmware }: VmSpec): XmlElement =>
	element(
		'os',
		{ firmware: firmware.type },
		element('type', { arch: guest.arch, machine: platform.machine }, 'hvm'),
		unlessEmpty(element('firmware', {}, ...writeFirmwareFeatures(firmware))),
		firmware.nvram !== undefined && element('nvram', {}, firmware.nvram),
		firmware.smbios !== undefined && element('smbios', { mode: firmware.smbios }),
		firmware.bootDelay !== undefined && element('bootmenu', { enable: 'yes', timeout: firmware.bootDelay }),
		firmware.bootRetry !== undefined && element('bios', { rebootTimeout: firmware.bootRetry }),
	);

const writeFirmwareFeatures = ({ enrolledKeys, secureBoot }: Firmware): XmlElement[] =>
	Object.entries({ 'enrolled-keys': enrolledKeys, 'secure-boot': secureBoot }).flatMap(([name, enabled]) =>
		enabled === undefined ? [] : [element('feature', { enabled: yesNo(enabled), name })],
	);

/** How often a guest of Windows tries a lock before it lets others run. */
const SPINLOCK_RETRIES = 8191;

export const writeFeatures = ({ features = [], enlightenments = [], hidesHypervisor }: Platform): XmlElement | undefined =>
	unlessEmpty(
		element(
			'features',
			{},
			...features.map(({ name, on }) => element(name, { state: on === undefined ? undefined : onOff(on) })),
			enlightenments.length > 0 && element('hyperv', { mode: 'custom' }, ...writeEnlightenments(enlightenments)),
			hidesHypervisor && element('kvm', {}, element('hidden', { state: 'on' })),
		),
	);

const writeEnlightenments = (names: readonly string[]): XmlElement[] =>
	names
		.filter((name) => name !== 'stimer-direct')
		.map((name) =>
			element(
				name,
				{ state: 'on', retries: name === 'spinlocks' ? SPINLOCK_RETRIES : undefined },
				name === 'stimer' && names.includes('stimer-direct') && element('direct', { state: 'on' }),
			),
		);

export const writeCpu = ({ mode, topology, features = [] }: Cpu): XmlElement | undefined =>
	unlessEmpty(
		element(
			'cpu',
			{ mode, check: mode === 'host-model' ? 'partial' : undefined },
			topology &&
				element('topology', {
					sockets: topology.sockets,
					dies: topology.dies,
					clusters: topology.clusters,
					cores: topology.cores,
					threads: topology.threads,
				}),
			...features.map(({ name, policy }) => element('feature', { policy, name })),
		),
	);

export const writeClock = ({ clock, clockOffset, clockStart, timers = [] }: VmSpec): XmlElement =>
	element(
		'clock',
		{
			offset: clock,
			adjustment: clock === 'variable' ? clockOffset : undefined,
			basis: clock === 'variable' ? 'utc' : undefined,
			start: clock === 'absolute' ? clockStart : undefined,
		},
		...timers.map(({ name, present, tickPolicy }) =>
			element('timer', { name, present: present === undefined ? undefined : yesNo(present), tickpolicy: tickPolicy }),
		),
	);
