import { fileName } from '../../bytes/path.ts';
import { UsageError } from '../../errors.ts';
import type { Context } from './context.ts';

type DatastorePath = { readonly datastore: string; readonly rest: string };

/** `[DATASTORE] DIR/NAME`; undefined for another form. */
const parseDatastorePath = (path: string): DatastorePath | undefined => {
	const [, datastore, rest] = /^\[([^\]]+)\]\s*(.*)$/s.exec(path) ?? [];
	return datastore === undefined || rest === undefined ? undefined : { datastore, rest };
};

const VOLUMES = /^\/vmfs\/volumes\/([^/]+)\/(.*)$/s;

/**
 * The path that libvirt has for a file that a VMX names.
 * @param field the key that names it.
 */
export const fromVmxPath = (name: string, field: string, { options, profile, refuse }: Context): string => {
	if (options.vmxPath === undefined) return name;
	const [, datastore, rest] = VOLUMES.exec(name) ?? [];
	if (datastore !== undefined) return `[${datastore}] ${rest}`;
	if (name.startsWith('/')) return name;
	if (name.includes('/') && !profile.foldersInNames) {
		refuse(field, `'${name}' is a relative name with a folder in it`, '--profile libvirt-12.5');
	}
	const { datastore: own, folder } = folderOf(options.vmxPath);
	return `[${own}] ${folder}${name}`;
};

/** Where a VMX lies. @throws UsageError for a path that does not name a datastore. */
const folderOf = (vmxPath: string): { readonly datastore: string; readonly folder: string } => {
	const parsed = parseDatastorePath(vmxPath);
	if (!parsed) throw new UsageError(`'${vmxPath}' is no path on a datastore`, { hint: "--vmx-path '[DATASTORE] DIR/NAME.vmx'" });
	return { datastore: parsed.datastore, folder: parsed.rest.slice(0, parsed.rest.lastIndexOf('/') + 1) };
};

/** The name that a VMX has for a file by libvirt's path. */
export const toVmxPath = (path: string): string => {
	const parsed = parseDatastorePath(path);
	return parsed ? `/vmfs/volumes/${parsed.datastore}/${parsed.rest}` : path;
};

/** The last part of a VMX's path without its extension: what a machine without a name is called. */
export const nameOfVmx = (path: string): string => fileName(path).replace(/\.(vmx|vmtx)$/i, '');
