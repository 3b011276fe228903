export type Bus = 'scsi' | 'sata' | 'ide' | 'nvme' | 'fdc';

export type Controller = {
	readonly bus: string;
	readonly index: number;
	/** VMware's own word: `lsilogic` is its parallel Fusion-MPT adapter, `pvscsi`, `buslogic`, `lsisas1068`; others verbatim. */
	readonly model?: string | undefined;
	readonly pciSlotNumber?: number | undefined;
	readonly pci?: PciAddress | undefined;
	/** The keys of the file that were read for it. */
	readonly keys: readonly string[];
};

export type PciAddress = { readonly domain: number; readonly bus: number; readonly slot: number; readonly fn: number };

export type DiskDevice = {
	/** As VMX names it, `scsi0:1`; libvirt's target, `sda`, where that is what the file says. */
	readonly id: string;
	readonly bus: string;
	/** On the IDE bus: the channel, 0 or 1. */
	readonly controller: number;
	readonly unit: number;
	readonly kind: string;
	readonly media: Media;
	/** The value of VMX's `deviceType` or, for a floppy drive, `fileType`. */
	readonly deviceType?: string | undefined;
	/** The value of VMX's `fileName`, whatever it stands for. */
	readonly fileName?: string | undefined;
	/** The image is on the computer of whoever looks at the console. */
	readonly client?: boolean | undefined;
	/** libvirt's name for the device, `sda`. */
	readonly target?: string | undefined;
	/** Where the file says it beside the target: controller, bus, target and unit of libvirt's address of type drive. */
	readonly address?: readonly [number, number, number, number] | undefined;
	/** libvirt's `driver/@name`, which once named the controller. */
	readonly driver?: string | undefined;
	readonly cache?: string | undefined;
	/** VMX's `mode`, `persistent` where nothing is said. */
	readonly mode?: string | undefined;
	readonly readOnly?: boolean | undefined;
	/** Its place among the devices that are tried at boot, from 1 on. */
	readonly bootOrder?: number | undefined;
	/** What the guest reads as its serial number. */
	readonly serial?: string | undefined;
	readonly wwn?: string | undefined;
	/** Several machines write to it at the same time. */
	readonly shareable?: boolean | undefined;
	/** Whether it is part of snapshots. */
	readonly snapshots?: boolean | undefined;
	/** Whether it is connected at the start. */
	readonly connected?: boolean | undefined;
	/** The format of its image as libvirt names it: `qcow2`, `raw`. */
	readonly format?: string | undefined;
	/** Of its logical sectors, in bytes, where it is said. */
	readonly sectorSize?: number | undefined;
	/** The file does not say that it is there: VMware takes it for present, libvirt does not. */
	readonly assumed?: boolean | undefined;
	/** Its image is encrypted. */
	readonly encrypted?: boolean | undefined;
	/** What its image is made of, where the description says it: that counts, whatever the image says itself. */
	readonly chain?: SaidImage | undefined;
	/** The keys of the file that were read for it. */
	readonly keys: readonly string[];
};

/** What a description says of an image that most leave to the image itself. */
export type SaidImage = {
	/** The image is but a part of its file. */
	readonly slice?: boolean | undefined;
	/** Where its data is, if not in itself. */
	readonly dataFile?: Media | undefined;
	/** The image beneath it, or that there is none; what the image says, where left out. */
	readonly backing?: SaidBacking | 'none' | undefined;
};

export type SaidBacking = SaidImage & { readonly media: Media; readonly format?: string | undefined };

/** What is in a drive. */
export type Media =
	| { readonly type: 'none'; readonly of: 'file' | 'block' }
	| { readonly type: 'file'; readonly path: string }
	| { readonly type: 'block'; readonly path: string }
	/** Whichever drive the host has. */
	| { readonly type: 'auto' }
	/** What no form but libvirt's can say. */
	| OtherMedia;

export type OtherMedia = {
	readonly type: 'other';
	/** libvirt's word for the kind: `network`, `volume`, … */
	readonly said: string;
	/** Which one: `rbd:pool/image`. */
	readonly name?: string | undefined;
	/** What else it takes to read it, which is secret or may be: `query`, `cookies`, `user`. */
	readonly wants?: readonly string[] | undefined;
};

export type Nic = {
	readonly index: number;
	readonly model?: string | undefined;
	readonly mac: Mac;
	readonly network: Network;
	/** Whether its cable is plugged in at the start. */
	readonly connected?: boolean | undefined;
	/** Its place among the devices that are tried at boot, from 1 on. */
	readonly bootOrder?: number | undefined;
	/** Tags of the VLANs that it is in. */
	readonly vlans?: readonly number[] | undefined;
	/** Of NSX: the id of the network that it is in, which no other field holds. */
	readonly opaqueNetwork?: string | undefined;
	/** The address under the key that its assignment does not name. */
	readonly otherAddress?: string | undefined;
	readonly pciSlotNumber?: number | undefined;
	readonly pci?: PciAddress | undefined;
};

export type Mac = {
	/** Lower case, with colons. */
	readonly address?: string | undefined;
	/** `static`, `generated` or `vpx`, as the file says it. */
	readonly assignment?: string | undefined;
	/** How far it is from the first address that VMware generated for the machine. */
	readonly offset?: number | undefined;
	/** Whether VMware checks that it is in the range of its assignment. */
	readonly checked?: boolean | undefined;
	/** The value of VMX's `checkMACAddress`, which libvirt reads by the letter. */
	readonly checkedSaid?: string | undefined;
};

export type Network =
	| { readonly type: 'none' }
	| { readonly type: 'bridged'; readonly name?: string | undefined; readonly openVswitch?: boolean | undefined }
	/** One of the host's virtual networks, by device. */
	| { readonly type: 'custom'; readonly name?: string | undefined; readonly device?: string | undefined }
	| { readonly type: 'nat'; readonly name?: string | undefined }
	/** A port of a distributed switch. */
	| ({ readonly type: 'dvs' } & DistributedPort)
	/** Some other kind, as the file calls it: `network` (libvirt's, by name), `direct`, `hostonly`, … */
	| {
			readonly type: 'other';
			readonly said: string;
			readonly name?: string | undefined;
			readonly portgroup?: string | undefined;
			/** Of `direct`: `bridge`, `vepa`, `private`, `passthrough`. */
			readonly mode?: string | undefined;
	  };

export type DistributedPort = {
	/** As 8-4-4-4-12. */
	readonly switchId?: string | undefined;
	readonly portId?: string | undefined;
	readonly portgroupId?: string | undefined;
	readonly connectionId?: string | undefined;
};

export type Video = {
	readonly model: string;
	readonly vram?: number | undefined;
	readonly heads?: number | undefined;
	/** Its memory goes by the host's screen, and not by `vram`. */
	readonly autodetect?: boolean | undefined;
};

export type Display = {
	/** `vnc`, `spice`, … */
	readonly type: string;
	/** Undefined: whichever is free. */
	readonly port?: number | undefined;
	readonly listen?: string | undefined;
	readonly keymap?: string | undefined;
	readonly password?: string | undefined;
};

export type CharPort = { readonly index: number; readonly backend: CharBackend };

export type CharBackend =
	| { readonly type: 'device' | 'file'; readonly path: string | undefined }
	/** VMware's pipe is a Unix socket; `role` is which end the machine is, `server` or `client`. */
	| { readonly type: 'pipe'; readonly path: string | undefined; readonly role?: string | undefined }
	| { readonly type: 'tcp'; readonly protocol: string; readonly host: string; readonly service: string; readonly role: string }
	/** An address on the network that says no port. */
	| { readonly type: 'unclear'; readonly said: string; readonly role: string }
	| { readonly type: 'null' }
	/** As libvirt calls it: `pty`, `unix`, … */
	| { readonly type: 'other'; readonly said: string; readonly path?: string | undefined; readonly role?: string | undefined };

export type SharedFolder = {
	/** libvirt's word for the kind; VMware's are all `mount`. */
	readonly type: string;
	/** Its number among VMware's, where not all of them are shared. */
	readonly index?: number | undefined;
	readonly hostPath: string;
	readonly guestName: string;
	readonly writable: boolean;
};

export type Tpm = {
	readonly model?: string | undefined;
	readonly backend?: string | undefined;
	readonly version?: string | undefined;
	/** The file asks for one to be added, and does not say that it is there: VMware adds it, libvirt does not. */
	readonly assumed?: boolean | undefined;
};

/** As the file names the model: VMX's `hdaudio`, libvirt's `ich9`. */
export type Sound = { readonly model?: string | undefined };

export type Usb = { readonly uhci?: boolean | undefined; readonly ehci?: boolean | undefined; readonly xhci?: boolean | undefined };

/** Devices of VMware's chipset that other devices need. */
export type Chipset = {
	/** A PCI bridge and four ports of PCI Express with eight functions each. */
	readonly pciBridges?: boolean | undefined;
	readonly vmci?: boolean | undefined;
	readonly hpet?: boolean | undefined;
};

export type Input = { readonly type: string; readonly bus: string };
