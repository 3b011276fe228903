import type { MachineFormat } from '../src/machine/format.ts';
import { libvirt } from './libvirt/index.ts';
import { vmx } from './vmx/index.ts';

/** Every form of machine descriptions there is. Adding one is a folder and a line here. */
export const machineFormats: readonly MachineFormat[] = [vmx, libvirt];
