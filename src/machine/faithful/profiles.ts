import { UsageError } from '../../errors.ts';

/** What a version of libvirt does with a VMX; hardware specification, section 6.1. */
export type Profile = {
	/** As messages call it. */
	readonly name: string;
	/** Keys with `*` in them do not stop it. */
	readonly starInKeys: boolean;
	/** An optical drive of an image with an empty name is an empty drive. */
	readonly emptyImageName: boolean;
	/** A CPU topology says how many clusters a die has. */
	readonly clusters: boolean;
	/** A serial port whose network address says no port is kept, connected to nothing. */
	readonly unclearSerial: boolean;
	/** A port of a distributed switch may say less than all four of its attributes. */
	readonly partialDvs: boolean;
	readonly secureBoot: boolean;
	readonly nvme: boolean;
	/** A relative file name may have folders in it. */
	readonly foldersInNames: boolean;
	/** `<uuid>` is vCenter's and `<hwuuid>` the one that the guest sees. */
	readonly twoUuids: boolean;
	readonly nvram: boolean;
	readonly tpm: boolean;
	/** Controllers without a drive are shown too, and PCI addresses. */
	readonly allControllers: boolean;
	/** From hardware version 13 a SCSI controller has 64 drives. */
	readonly superWide: boolean;
};

const V9: Profile = {
	name: 'libvirt 9.0',
	starInKeys: false,
	emptyImageName: false,
	clusters: false,
	unclearSerial: false,
	partialDvs: false,
	secureBoot: false,
	nvme: false,
	foldersInNames: false,
	twoUuids: false,
	nvram: false,
	tpm: false,
	allControllers: false,
	superWide: false,
};

const V11: Profile = {
	...V9,
	name: 'libvirt 11.3',
	starInKeys: true,
	emptyImageName: true,
	clusters: true,
	unclearSerial: true,
	partialDvs: true,
	secureBoot: true,
};

const V12: Profile = {
	...V11,
	name: 'libvirt 12.5',
	nvme: true,
	foldersInNames: true,
	twoUuids: true,
	nvram: true,
	tpm: true,
	allControllers: true,
	superWide: true,
};

const PROFILES: ReadonlyMap<string, Profile> = new Map([
	['9.0', V9],
	['11.3', V11],
	['12.5', V12],
]);

/** The names of all profiles. */
export const profileNames: readonly string[] = [...PROFILES.keys()].map((version) => `libvirt-${version}`);

/** A profile by its name, `libvirt-11.3` or `11.3`. @throws UsageError for a name that is none. */
export const profileNamed = (name: string): Profile => {
	const found = PROFILES.get(name.replace(/^libvirt-/, ''));
	if (!found) throw new UsageError(`there is no profile '${name}'`, { hint: `one of ${profileNames.join(', ')}` });
	return found;
};
