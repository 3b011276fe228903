import { redact } from '../../bytes/redact.ts';
import { quoted } from '../../bytes/shell.ts';
import { AccessError, UnsupportedError, type VconvError } from '../../errors.ts';
import type { DiskDevice, OtherMedia } from '../../machine/spec.ts';

/** How the bytes of a disk on the network come into a file, as they are: the domain says their format. QEMU reads most of them. */
const copyFrom = (name: string, file: string): string => {
	const [, scheme = '', rest = ''] = /^(\w[\w+.-]*):(?:\/\/[^/]*\/)?(.*)$/.exec(name) ?? [];
	if (scheme === 'rbd') return `rbd export ${quoted(rest)} ${file}.raw`;
	if (/^(https?|ftps?|tftp)$/.test(scheme)) return `curl -o ${file}.img ${quoted(name)}`;
	return `qemu-img convert -f raw -O raw ${quoted(name)} ${file}.raw`;
};

/**
 * The error for a disk that is in no file of this computer: what it is, and how a file comes of it.
 * @param description the file that names it.
 */
export const noFile = (description: string, { id, keys }: DiskDevice, { said, name: whole = said, wants = [] }: OtherMedia): VconvError => {
	const detail = { path: description, field: keys[0] };
	const name = redact(whole);
	const mapped = (file: string): string => `--path-map ${quoted(`${name}=${file}`)}`;
	if (said === 'network') {
		const copy = copyFrom(name, id);
		const more = wants.length === 0 ? '' : ` with the domain's ${wants.join(', ')} (not shown here)`;
		const hint = `${copy}${more}, and then ${mapped(copy.startsWith('curl') ? `${id}.img` : `${id}.raw`)}`;
		return new UnsupportedError(`its disk ${id} is on the network, ${name}, and in no file`, { ...detail, hint });
	}
	if (said === 'volume') {
		const [pool = '', ...volume] = name.split('/');
		const hint = `virsh vol-path --pool ${quoted(pool)} ${quoted(volume.join('/'))} says where it is: ${mapped('THAT PATH')}`;
		return new UnsupportedError(`its disk ${id} is a volume of libvirt's pools, ${name}, whose file is not named`, { ...detail, hint });
	}
	const hint = `a copy of it in a file, and ${mapped('THAT FILE')}`;
	return new UnsupportedError(`its disk ${id} is of the kind '${said}', and in no file`, { ...detail, hint });
};

/** The error for a disk that is a block device of this computer which nobody has allowed to read. */
export const refusedDevice = (description: string, { id, keys }: DiskDevice, device: string): AccessError =>
	new AccessError(`its disk ${id} is the device ${device} of this computer, which a description may not open by itself`, {
		path: description,
		field: keys[0],
		hint: `--path-map ${quoted(`${device}=${device}`)}, if it is the machine's`,
		reason: 'refused',
	});
