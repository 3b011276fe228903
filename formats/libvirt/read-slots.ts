import type { Dom } from './dom.ts';
import { OWN_NUMBERS, QEMU_NAMESPACE } from './write-slots.ts';

/** Marks what `writeSlots` told QEMU as held. What somebody else tells it stays in the rest. */
export const readSlots = (root: Dom): void => {
	const more = root.more();
	const prefix = more.namespacePrefix(QEMU_NAMESPACE);
	const args = more.child(`${prefix}:commandline`)?.children(`${prefix}:arg`) ?? [];
	const values = args.map((arg) => arg.unread().attribute('value'));
	const at = values.findIndex((value, index) => OWN_NUMBERS.every((own, offset) => [value, values[index + 1]][offset] === own));
	if (at >= 0) for (const arg of args.slice(at, at + OWN_NUMBERS.length)) arg.attribute('value');
	for (const device of more.child(`${prefix}:override`)?.children(`${prefix}:device`) ?? []) {
		const [property, ...others] = device.child(`${prefix}:frontend`)?.children(`${prefix}:property`) ?? [];
		const isOwn = /^ua-slot\d+$/.test(device.unread().attribute('alias') ?? '') && property?.unread().attribute('name') === 'slot';
		if (!isOwn || others.length > 0) continue;
		device.attribute('alias');
		for (const name of ['name', 'type', 'value']) property.attribute(name);
	}
};
