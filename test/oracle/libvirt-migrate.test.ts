import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { machineFormats } from '../../formats/machines.ts';
import { parseXml, type XmlElement } from '../../src/bytes/xml.ts';
import { UnsupportedError } from '../../src/errors.ts';
import { parseMachine, planMachine, printMachine } from '../../src/machine/plan.ts';
import type { VmSpec } from '../../src/machine/spec.ts';
import { corpusDomains } from '../corpus/domains.ts';
import { askLibvirt } from '../helpers/ask-libvirt.ts';
import { has } from '../helpers/programs.ts';
import { migrate } from '../machine/account.ts';
import { kinds } from '../machine/kinds.ts';
import { kvmWith, richKvm } from '../machine/kvm-sample.ts';

const planned = (domain: string): { readonly spec: VmSpec; readonly vmx: string } => {
	const machine = parseMachine(new TextEncoder().encode(domain), 'a.xml', machineFormats);
	const plan = planMachine(machine, { intent: 'migrate', to: 'vmx' });
	return { spec: plan.spec, vmx: printMachine(plan, machineFormats) };
};

const all = (element: XmlElement, name: string): XmlElement[] =>
	element.children.flatMap((child) => [...(child.name === name ? [child] : []), ...all(child, name)]);

const value = (element: XmlElement, name: string, attribute: string): string | undefined =>
	all(element, name)[0]?.attributes.get(attribute);

/** What libvirt says of a card that says no address. */
const NO_ADDRESS = '00:00:00:00:00:00';

/**
 * What a live libvirt reads, by the words that both have. Its driver for Workstation knows no NVMe, of which nothing is compared, and takes
 * the disks of a second adapter for units from 16 on of the first.
 */
const readBack = (vmx: string) => {
	const root = parseXml(new TextEncoder().encode(askLibvirt(vmx) ?? '<refused/>'), 'libvirt.xml');
	const text = (name: string) => all(root, name)[0]?.text;
	return {
		name: text('name'),
		memory: Number(text('memory')) * 1024,
		cpus: Number(text('vcpu')),
		efi: value(root, 'os', 'firmware') === 'efi',
		disks: all(root, 'disk')
			.filter((disk) => disk.attributes.get('device') === 'disk')
			.map((disk) => [value(disk, 'target', 'bus'), value(disk, 'source', 'file')]),
		cdroms: all(root, 'disk').filter((disk) => disk.attributes.get('device') === 'cdrom').length,
		adapters: all(root, 'controller')
			.filter(({ attributes }) => attributes.get('type') === 'scsi')
			.map(({ attributes }) => attributes.get('model')?.replace('vmpvscsi', 'pvscsi')),
		nics: all(root, 'interface').map((nic) => [
			value(nic, 'mac', 'address')?.replace(NO_ADDRESS, '') || undefined,
			value(nic, 'model', 'type'),
			nic.attributes.get('type'),
		]),
		serials: all(root, 'serial').map(({ attributes }) => attributes.get('type')),
	};
};

const TYPES: Readonly<Record<string, string>> = { none: 'null', bridged: 'bridge', custom: 'bridge', nat: 'user', dvs: 'vds' };

const written = ({ identity, memory, cpu, firmware, disks, controllers, nics, serials }: VmSpec) => ({
	name: identity.name,
	memory: memory.size,
	cpus: cpu.count,
	efi: firmware.type === 'efi',
	disks: disks.filter(({ kind, bus }) => kind === 'disk' && bus !== 'nvme').map(({ bus, fileName }) => [bus, fileName]),
	cdroms: disks.filter(({ kind }) => kind === 'cdrom').length,
	adapters: [...new Set(controllers.filter(({ bus }) => bus === 'scsi').map(({ model }) => model))],
	nics: nics.map(({ mac, model, network }) => [mac.address, model, TYPES[network.type]]),
	serials: serials.map(({ backend }) => (backend.type === 'device' ? 'dev' : backend.type)),
});

/** libvirt reads the drives bus by bus, and those of SCSI by their place. */
const byBus = <T extends { readonly disks: readonly (readonly unknown[])[] }>(machine: T) => ({
	...machine,
	disks: machine.disks.toSorted((a, b) => (String(a) < String(b) ? -1 : 1)),
});

const version = has('virsh') ? (/^\d+\.\d+/.exec(spawnSync('virsh', ['--version'], { encoding: 'utf8' }).stdout)?.[0] ?? '') : '';

describe.skipIf(version === '')(`a live libvirt ${version} reads the VMX that is written`, () => {
	const disk = (dev: string, bus: string, more = '') =>
		`<disk type='file' device='disk'><source file='/images/${dev}.qcow2'/><target dev='${dev}' bus='${bus}'/>${more}</disk>`;
	const card = (mac: string, model: string, type = 'bridge') =>
		`<interface type='${type}'><mac address='${mac}'/><source bridge='br0'/><model type='${model}'/></interface>`;
	const efi = "<os firmware='efi'><type arch='x86_64'>hvm</type></os>";

	test.for([
		['everything', richKvm.replace('"one"', 'one')],
		['no devices', kvmWith()],
		['disks on all buses', kvmWith(disk('vda', 'virtio') + disk('sda', 'sata') + disk('hda', 'ide') + disk('sdb', 'usb'))],
		[
			'cards of all kinds',
			kvmWith(['virtio', 'e1000', 'e1000e', 'rtl8139', 'pcnet'].map((m, i) => card(`52:54:00:00:00:0${i}`, m)).join('')),
		],
		[
			'cards of VMware',
			kvmWith(card('00:0c:29:01:02:03', 'vmxnet3') + card('00:50:56:81:02:03', 'vmxnet3') + card('00:50:56:01:02:03', 'e1000')),
		],
		['EFI', kvmWith(disk('vda', 'virtio'), '', efi)],
		['CPUs', kvmWith('', "<vcpu>8</vcpu><cpu mode='host-model'><topology sockets='2' cores='2' threads='2'/></cpu>")],
		['an empty optical drive', kvmWith("<disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>")],
		[
			'ports',
			kvmWith("<serial type='file'><source path='/a/b.log'/></serial><serial type='unix'><source mode='connect' path='/s'/></serial>"),
		],
	] as const)('%s', ([, domain]) => {
		const { spec, vmx } = planned(domain);
		expect(byBus(readBack(vmx))).toEqual(byBus(written(spec)));
	});

	const thorough = Boolean(process.env['VCONV_THOROUGH']);
	test.for(thorough ? kinds : kinds.slice(0, 2))('what went to KVM and comes back: %s', ([, vmware, options]) => {
		const { spec, vmx } = planned(migrate(vmware, { ...options, keepSource: true }).xml);
		expect(byBus(readBack(vmx))).toEqual(byBus(written(spec)));
	});

	const collected = corpusDomains(...(thorough ? ['oracle-libvirt-12.8', 'libvirt-vmx2xml'] : []));
	// Of those that differ in a line or two, some will do.
	test.for(collected.filter((_, index) => thorough || index % 4 === 0))('of the corpus: %s', ([, domain]) => {
		let ours: ReturnType<typeof planned>;
		try {
			ours = planned(domain);
		} catch (error) {
			// Another architecture, or no hardware at all.
			expect(error).toBeInstanceOf(UnsupportedError);
			return;
		}
		expect(byBus(readBack(ours.vmx))).toEqual(byBus(written(ours.spec)));
	});
});
