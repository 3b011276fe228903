import { swapFields } from '../../bytes/guid.ts';
import { plainText } from '../../bytes/xml-text.ts';
import { nameOfVmx } from '../faithful/paths.ts';
import type { Identity } from '../spec.ts';
import type { Context } from './context.ts';

/** What libvirt gives for no UUID. */
const NIL = /^[0-]+$/;

/** Who the machine is. Hardware specification, section 7.1, appendices B and C. */
export const planIdentity = (c: Context): Identity => {
	const { name, description, generationId } = c.source.identity;
	return {
		...planName(name, c),
		description: description === undefined ? undefined : cleanText(description, c),
		instanceUuid: planUuid(c),
		...planGenerationId(generationId, c),
	};
};

/** No name is longer, in bytes: logs and sockets are called by it. */
const MAX_NAME = 200;

const planName = (said: string | undefined, c: Context): Pick<Identity, 'name' | 'title'> => {
	const name = nameFor(said ?? '') || nameFor(nameOfVmx(c.path)) || 'machine';
	if (said === undefined || said.trim() === '') {
		c.tell('NAME_ASSUMED', 'identity', `the VMX says no name: the domain is called ${name}`, { action: 'defaulted' });
		return { name };
	}
	if (name === said) return { name };
	const message = `a domain cannot be called '${said}': it is called '${name}', and that is its title`;
	c.tell('NAME_CHANGED', 'identity', message, { keys: ['displayName'] });
	const title = plainText(said).replaceAll(/\s+/g, ' ').trim();
	return { name, title: title === '' ? undefined : title };
};

const nameFor = (said: string): string => {
	let name = plainText(said)
		.replaceAll(/[\t\n\r]/g, '')
		.replaceAll('/', '-')
		.trim()
		.replace(/^\.+/, '')
		.trim();
	// No letter takes less than a byte.
	name = name.slice(0, MAX_NAME);
	while (new TextEncoder().encode(name).byteLength > MAX_NAME) name = [...name].slice(0, -1).join('').trim();
	return name;
};

const cleanText = (text: string, c: Context): string => {
	const clean = plainText(text);
	if (clean !== text) c.tell('NAME_CHANGED', 'identity', 'control characters in the annotation are left out', { keys: ['annotation'] });
	return clean;
};

/** Libvirt before 12.4 has one UUID, and the guest reads it from SMBIOS. */
const planUuid = (c: Context): string | undefined => {
	const { biosUuid, locationUuid, instanceUuid, domainUuid } = c.source.identity;
	// A machine that VMware has copied has another by now.
	const wasDomain = biosUuid !== undefined && domainUuid === swapFields(biosUuid);
	const mode = c.options.uuid ?? (wasDomain ? 'guest-bytes' : 'verbatim');
	c.honour('vconv.uuid');
	if (instanceUuid !== undefined) {
		const message = `vCenter's own id of the machine, ${instanceUuid}, has no place beside the UUID that the guest sees`;
		c.tell('UUID_DROPPED', 'identity', message, {
			keys: ['vc.uuid'],
			action: c.options.keepSource === false ? 'dropped' : 'kept',
			severity: 'info',
		});
	}
	const said = [biosUuid, locationUuid].find((uuid) => uuid !== undefined && !NIL.test(uuid));
	if (mode === 'new' || said === undefined) {
		const why = mode === 'new' ? 'it is a copy' : 'the VMX says none';
		c.tell('UUID_NEW', 'identity', `libvirt gives the domain a UUID of its own: ${why}`, { keys: ['uuid.bios'], action: 'defaulted' });
		return undefined;
	}
	if (said === locationUuid && said !== biosUuid) {
		c.tell('UUID_FROM_LOCATION', 'identity', 'there is no uuid.bios: uuid.location is taken', { keys: ['uuid.location'] });
	} else if (locationUuid !== undefined) {
		c.honour('uuid.location'); // made from the place of the file, and no identity
	}
	if (mode === 'guest-bytes') {
		const swapped = swapFields(said);
		const message = `the domain has the UUID ${swapped}, as the guest reads the bytes of ${said}`;
		c.tell('UUID_SWAPPED', 'identity', message, { keys: ['uuid.bios'] });
		return swapped;
	}
	const { hardwareVersion = 0 } = c.source.platform;
	const differs = c.guest.family === 'windows' || (c.guest.family === 'linux' && hardwareVersion >= 13);
	const message = `the guest reads ${said}; under VMware it may have read ${swapFields(said)}`;
	c.tell('UUID_VIEW', 'identity', message, { keys: ['uuid.bios'], action: 'none', severity: differs ? 'warning' : 'info' });
	return said;
};

const planGenerationId = (bytes: Uint8Array | undefined, c: Context): Pick<Identity, 'generationId'> => {
	if (bytes === undefined || bytes.every((byte) => byte === 0)) return {};
	if (c.options.uuid !== 'new') return { generationId: bytes };
	c.tell('GENID_DROPPED', 'identity', 'a copy has no generation id of the original', {
		keys: ['vm.genid', 'vm.genidX'],
		action: 'dropped',
		remedy: '<genid/> in the domain, if a domain controller runs in it',
	});
	return {};
};
