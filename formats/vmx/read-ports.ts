import type { CharBackend, CharPort } from '../../src/machine/spec.ts';
import type { Cursor } from './cursor.ts';

/** The serial or parallel ports that are present. */
export const readPorts = (c: Cursor, more: Cursor, kind: 'serial' | 'parallel'): CharPort[] =>
	c.indices(kind).flatMap((index): CharPort[] => {
		const id = `${kind}${index}`;
		return c.boolean(`${id}.present`) ? [{ index, backend: readBackend(c, more, id) }] : [];
	});

const readBackend = (c: Cursor, more: Cursor, id: string): CharBackend => {
	const type = c.text(`${id}.fileType`)?.toLowerCase() ?? 'device';
	const path = c.text(`${id}.fileName`);
	if (type === 'pipe') return { type, path, role: more.text(`${id}.pipe.endPoint`)?.toLowerCase() };
	if (type === 'device' || type === 'file') return { type, path };
	if (type !== 'network') return { type: 'other', said: type, path };
	const role = c.text(`${id}.network.endPoint`)?.toLowerCase() ?? 'server';
	return readAddress(path ?? '', role);
};

/** vSphere's VirtualSerialPortURIBackingInfo: `telnets://host:port`. */
const readAddress = (said: string, role: string): CharBackend => {
	const [, scheme = 'tcp', host = '', service] =
		/^(?:([a-z][a-z0-9+.-]*):)?\/\/(?:[^@/]*@)?(\[[^\]]*\]|[^:/?#]*)(?::(\d{1,5}))?(?:[/?#]|$)/i.exec(said) ?? [];
	if (service === undefined || Number(service) === 0 || Number(service) > 65535) return { type: 'unclear', said, role };
	return { type: 'tcp', protocol: scheme.toLowerCase(), host: host.replace(/^\[(.*)\]$/, '$1'), service: String(Number(service)), role };
};
