import { expect, test } from 'vitest';
import { machineFormats } from '../../../formats/machines.ts';
import { parseMachine } from '../../../src/machine/plan.ts';
import { effort } from '../../helpers/effort.ts';

const read = (lines: readonly string[]) => {
	const head = ['config.version = "8"', 'virtualHW.version = "13"'];
	return parseMachine(new TextEncoder().encode([...head, ...lines, ''].join('\n')), 'a.vmx', machineFormats);
};

test('a VMX of many devices takes as long for each key as one of few', () => {
	const devices = (count: number) =>
		Array.from({ length: count }, (_, index) => [
			...['present = "TRUE"', 'fileType = "file"', 'fileName = "a.flp"', 'startConnected = "TRUE"'].map((said) => `floppy${index}.${said}`),
		]).flat();
	read(devices(1000)); // so that what follows is compiled
	const spent = effort();
	expect(read(devices(9900)).spec.disks).toHaveLength(9900);
	// Looking through all that is read for each of them took three times as long.
	expect(spent()).toBeLessThan(1000);
});

test('a device has the keys that were read of it, in any spelling, and no other has them', () => {
	const { spec } = read(['floppy1.present = "TRUE"', 'FLOPPY1.fileName = "b"', 'floppy10.present = "TRUE"', 'floppy10.fileName = "c"']);
	expect(spec.disks.map(({ id, keys }) => [id, keys?.toSorted()])).toEqual([
		['floppy1', ['FLOPPY1.fileName', 'floppy1.present']],
		['floppy10', ['floppy10.fileName', 'floppy10.present']],
	]);
});
