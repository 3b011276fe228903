import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import type { Machine } from '../../src/machine/format.ts';
import { entry, type ReportEntry } from '../../src/machine/report.ts';
import type { Cpu, Firmware, Identity, Memory, SharedFolder, Shares, VmSpec } from '../../src/machine/spec.ts';
import { type Cursor, cursor } from './cursor.ts';
import { parseDictionary } from './dictionary.ts';
import { decodeName } from './escape.ts';
import { dispositions } from './keys.ts';
import { readControllers, readDisks } from './read-disks.ts';
import { readChipset, readClock, readMoreCpu, readMoreFirmware, readMoreMemory, readReported, readSounds, readUsb } from './read-more.ts';
import { readNics } from './read-nics.ts';
import { readPorts } from './read-ports.ts';

const MIB = 1 << 20;

/**
 * What a VMX says of a machine.
 * @throws CorruptError for what is no VMX, UnsupportedError for a sealed one.
 */
export const readVmx = (bytes: Uint8Array, path: string): Machine => {
	const dictionary = parseDictionary(bytes, path);
	if (dictionary.entries.size === 0) throw new CorruptError('it has no line of the form key = "value"', { path });
	const report: ReportEntry[] = [...dictionary.report];
	const c = cursor(dictionary, report);
	refuseSealed(c, path);
	c.take('.encoding');
	const comments = dictionary.lines.flatMap((line) => ('comment' in line && line.comment.trim() !== '' ? [line.comment.trim()] : []));
	if (comments.length > 0) {
		const message = `${comments.length} comments are left out, '${comments[0]?.slice(0, 60)}' the first`;
		report.push(entry('COMMENTS_DROPPED', { subject: 'comments', message }));
	}
	const controllers = readControllers(c);
	const more = c.more();
	const spec: Omit<VmSpec, 'extras'> = {
		identity: readIdentity(c, report),
		guest: { vmxGuestOs: c.text('guestOS'), reported: readReported(more) },
		platform: {
			hypervisor: 'vmware',
			configVersion: c.integer('config.version'),
			hardwareVersion: c.integer('virtualHW.version'),
			hidesHypervisor: more.boolean('hypervisor.cpuid.v0') === false || undefined,
		},
		cpu: { ...readCpu(c), ...readMoreCpu(more) },
		memory: { ...readMemory(c), ...readMoreMemory(more) },
		firmware: { ...readFirmware(c), ...readMoreFirmware(more) },
		...readClock(more),
		lifecycle: {},
		controllers,
		disks: readDisks(c, more, controllers, report),
		nics: readNics(c, more),
		displays: readDisplays(c),
		videos: readVideos(c, more),
		serials: readPorts(c, more, 'serial'),
		parallels: readPorts(c, more, 'parallel'),
		sharedFolders: readSharedFolders(c, more),
		tpms: readTpms(c, more),
		sounds: readSounds(more),
		usb: readUsb(more),
		chipset: readChipset(more),
		management: {},
	};
	const entries = [...dictionary.entries.values()].map(({ key, value }) => [key, value] as const);
	return { format: 'vmx', path, spec: { ...spec, extras: dispositions(c, dictionary) }, entries, report };
};

/** Only a handful of keys of an encrypted VMX are in the clear. */
const refuseSealed = (c: Cursor, path: string): void => {
	if (c.take('encryption.keySafe') === undefined && c.take('encryption.data') === undefined) return;
	const partial = c.text('vmx.encryptionType')?.toLowerCase() === 'partial' || c.text('managedvm.autoAddVTPM') !== undefined;
	const what = partial ? 'partly encrypted, as a virtual TPM wants it' : 'encrypted';
	throw new UnsupportedError(`the machine is ${what}: its hardware cannot be read`, {
		path,
		field: 'encryption.keySafe',
		hint: 'removing the encryption (and the virtual TPM) in the product that made it',
	});
};

const readIdentity = (c: Cursor, report: ReportEntry[]): Identity => {
	const stored = c.text('displayName');
	return {
		name: stored === undefined ? undefined : decodeName(stored),
		nameStored: stored,
		description: c.text('annotation'),
		biosUuid: c.uuid('uuid.bios'),
		locationUuid: c.more().uuid('uuid.location'),
		instanceUuid: c.uuid('vc.uuid'),
		domainUuid: c.more().uuid('vconv.uuid'),
		generationId: readGenerationId(c, report),
	};
};

/** Two signed numbers of 64 bits, little-endian in the guest's memory one behind the other. */
const readGenerationId = (c: Cursor, report: ReportEntry[]): Uint8Array | undefined => {
	const halves = ['vm.genid', 'vm.genidX'].map((key) => {
		const value = c.text(key);
		if (value === undefined) return undefined;
		if (/^\s*[+-]?\d{1,20}\s*$/.test(value)) return BigInt(value.trim());
		return c.odd('VMX_BAD_VALUE', key, 'no whole number') as undefined;
	});
	if (halves.every((half) => half === undefined)) return undefined;
	if (halves.some((half) => half === undefined)) {
		const message = 'only one half of the generation id is said: the other is taken for 0';
		report.push(entry('GENID_ONE_HALF', { subject: 'identity', message, keys: ['vm.genid', 'vm.genidX'], action: 'defaulted' }));
	}
	const view = new DataView(new ArrayBuffer(16));
	for (const [index, half] of halves.entries()) view.setBigUint64(index * 8, BigInt.asUintN(64, half ?? 0n), true);
	return new Uint8Array(view.buffer);
};

const readCpu = (c: Cursor): Cpu => {
	const cores = c.integer('cpuid.coresPerSocket');
	return {
		count: c.integer('numvcpus'),
		topology: cores === undefined ? undefined : { cores },
		affinity: readAffinity(c),
		shares: readShares(c),
	};
};

/** More host CPUs are not numbered by anyone. */
const MAX_CPU = 16384;

const readAffinity = (c: Cursor): readonly number[] | undefined => {
	const said = c.text('sched.cpu.affinity');
	if (said === undefined || said.toLowerCase() === 'all') return undefined;
	const numbers = said.split(',').map((part) => (/^\s*\d{1,5}\s*$/.test(part) ? Number(part) : MAX_CPU));
	if (numbers.some((number) => number >= MAX_CPU)) {
		return c.odd('VMX_BAD_VALUE', 'sched.cpu.affinity', `no list of host CPUs below ${MAX_CPU}`) as undefined;
	}
	return numbers;
};

const readShares = (c: Cursor): Shares | undefined => {
	const said = c.text('sched.cpu.shares')?.toLowerCase();
	if (said === undefined || said === 'low' || said === 'normal' || said === 'high') return said;
	if (/^\d{1,9}$/.test(said)) return Number(said);
	return c.odd('VMX_BAD_VALUE', 'sched.cpu.shares', "neither a number nor 'low', 'normal' or 'high'") as undefined;
};

const readMemory = (c: Cursor): Memory => {
	const mib = (value: number | undefined): number | undefined => (value === undefined ? undefined : value * MIB);
	const limit = c.limit('sched.mem.max');
	return {
		size: mib(c.integer('memsize')),
		limit: limit === 'unlimited' ? limit : mib(limit),
		reservation: mib(c.integer('sched.mem.minsize')),
	};
};

const readFirmware = (c: Cursor): Firmware => ({
	type: c.text('firmware'),
	secureBoot: c.boolean('uefi.secureBoot.enabled'),
	nvram: c.text('nvram'),
	smbios: c.boolean('smbios.reflectHost') ? 'host' : undefined,
});

const readDisplays = (c: Cursor): VmSpec['displays'] => {
	if (!c.boolean('RemoteDisplay.vnc.enabled')) return [];
	const port = c.integer('RemoteDisplay.vnc.port');
	return [
		{
			type: 'vnc',
			port: port === undefined || port < 0 ? undefined : port,
			listen: c.text('RemoteDisplay.vnc.ip'),
			keymap: c.text('RemoteDisplay.vnc.keymap'),
			password: c.text('RemoteDisplay.vnc.password'),
		},
	];
};

const readVideos = (c: Cursor, more: Cursor): VmSpec['videos'] => [
	{ model: 'vmvga', vram: c.integer('svga.vramSize'), autodetect: more.boolean('svga.autodetect') },
];

/** The hosted products add one at the next start where `managedvm.autoAddVTPM` says so, which libvirt does not know. */
const readTpms = (c: Cursor, more: Cursor): VmSpec['tpms'] => {
	const tpm = { model: 'tpm-crb', backend: 'emulator', version: '2.0' };
	if (c.boolean('vtpm.present')) return [tpm];
	return more.text('managedvm.autoAddVTPM')?.toLowerCase() === 'software' ? [{ ...tpm, assumed: true }] : [];
};

/** They count only where the host lets the guest see them, which the key says the other way round. */
const readSharedFolders = (c: Cursor, more: Cursor): readonly SharedFolder[] => {
	if (more.boolean('isolation.tools.hgfs.disable') !== false) return [];
	const most = more.integer('sharedFolder.maxNum') ?? 0;
	const folders = c
		.indices('sharedfolder')
		.filter((index) => index < most)
		.flatMap((index) => {
			const id = `sharedFolder${index}`;
			if (!more.boolean(`${id}.present`) || !more.boolean(`${id}.enabled`)) return [];
			c.boolean(`${id}.present`);
			c.boolean(`${id}.enabled`);
			return [
				{
					type: 'mount',
					index,
					hostPath: c.text(`${id}.hostPath`) ?? '',
					guestName: c.text(`${id}.guestName`) ?? '',
					writable: c.boolean(`${id}.writeAccess`) ?? false,
				},
			];
		});
	// Without a folder they are keys like others.
	if (folders.length > 0) for (const key of ['isolation.tools.hgfs.disable', 'sharedFolder.maxNum']) c.take(key);
	return folders;
};
