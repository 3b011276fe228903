import { machineFormats } from '../../formats/machines.ts';
import { parseDictionary } from '../../formats/vmx/dictionary.ts';
import { printXml } from '../../src/bytes/print-xml.ts';
import { parseXml, type XmlElement, xmlElement } from '../../src/bytes/xml.ts';
import { VconvError } from '../../src/errors.ts';
import type { FaithfulOptions } from '../../src/machine/faithful/context.ts';
import type { MigrateOptions } from '../../src/machine/migrate/options.ts';
import { type MachinePlan, parseMachine, planMachine, printMachine } from '../../src/machine/plan.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A description, planned as libvirt translates it. */
export const planFaithfully = (text: string | Uint8Array, to: string, options: FaithfulOptions = {}): MachinePlan => {
	const bytes = typeof text === 'string' ? encode(text) : text;
	return planMachine(parseMachine(bytes, `machine.${to === 'vmx' ? 'xml' : 'vmx'}`, machineFormats), {
		intent: 'faithful',
		to,
		...options,
	});
};

/** The text that comes of it. */
export const translate = (text: string | Uint8Array, to: string, options: FaithfulOptions = {}): string =>
	printMachine(planFaithfully(text, to, options), machineFormats);

/** A VMX, planned as a domain of KVM. Nothing is kept for the way back, where every key would be. */
export const planMigration = (text: string | Uint8Array, options: MigrateOptions = {}): MachinePlan => {
	const bytes = typeof text === 'string' ? encode(text) : text;
	return planMachine(parseMachine(bytes, 'machine.vmx', machineFormats), {
		intent: 'migrate',
		to: 'libvirt',
		keepSource: false,
		...options,
	});
};

/** The domain, and the codes of the report with what they are about. */
export const migrate = (
	text: string | Uint8Array,
	options: MigrateOptions = {},
): { readonly xml: string; readonly said: readonly string[] } => {
	const plan = planMigration(text, options);
	return {
		xml: printMachine(plan, machineFormats),
		said: plan.report.map(({ severity, code, subject }) => `${severity} ${code} ${subject}`),
	};
};

/**
 * Keys that say one thing in several words: that a drive is an optical one, and whether that is connected, when it is empty anyway; which
 * USB controller is there, when there is always one; that a system is of 64 bits, when it never was of 32; what Tools say between fields.
 */
export const INERT =
	/^(ide|sata|scsi)\d+:\d+\.(deviceType|startConnected)$|^(usb|ehci|usb_xhci)\.present$|^guestOS$|^guest(info|os)\.detailed\.data$/i;

/** Other values for a key, of which one at least means something else to whoever reads it. */
const others = (value: string): string[] => {
	if (value.endsWith('-64')) return [value.slice(0, -3)];
	if (/^(true|false)$/i.test(value)) return [/^true$/i.test(value) ? 'FALSE' : 'TRUE'];
	return /^\d+$/.test(value) ? [String(Number(value) + 8), '0'] : [`x${value}`];
};

/**
 * The keys of a VMX that change nothing when they change, and are not in the report: those that were lost without a word.
 * A translation that is refused has said its word.
 */
export const unaccounted = (text: string, planned: (text: string) => MachinePlan): string[] => {
	const plan = planned(text);
	const before = printMachine(plan, machineFormats);
	const said = JSON.stringify(plan.report);
	const reported = new Set(plan.report.flatMap(({ keys }) => keys.map((key) => key.toLowerCase())));
	const { entries } = parseDictionary(encode(text), 'machine.vmx');
	const lines = text.split('\n');
	const changes = (key: string, stored: string, value: string): boolean => {
		const own = (line: string) => line.startsWith(`${key} `) || line.startsWith(`${key}=`);
		const changed = lines.map((line) => (own(line) ? line.replace(`"${stored}"`, () => `"${value}"`) : line));
		try {
			const after = planned(changed.join('\n'));
			return printMachine(after, machineFormats) !== before || JSON.stringify(after.report) !== said;
		} catch (error) {
			if (error instanceof VconvError) return true;
			throw error;
		}
	};
	return [...entries.values()]
		.filter(({ key }) => key.toLowerCase() !== '.encoding' && !reported.has(key.toLowerCase()))
		.filter(({ key, value, stored }) => !others(value).some((another) => changes(key, stored, another)))
		.map(({ key }) => key);
};

/**
 * The same for a domain: paths of attributes and texts that change nothing when they change, and are not in the report, by
 * themselves or with the element that they are in.
 */
export const unaccountedParts = (
	text: string,
	planned: (text: string) => MachinePlan = (domain) => planFaithfully(domain, 'vmx', { hardwareVersion: 10 }),
): string[] => {
	const plan = planned(text);
	const [before, said] = [printMachine(plan, machineFormats), JSON.stringify(plan.report)];
	const reported = plan.report.flatMap(({ keys }) => keys);
	const root = parseXml(encode(text), 'a.xml');
	const changes = (value: string, put: (value: string) => XmlElement): boolean =>
		others(value).some((another) => {
			try {
				const after = planned(printXml(put(another)));
				return printMachine(after, machineFormats) !== before || JSON.stringify(after.report) !== said;
			} catch (error) {
				if (error instanceof VconvError) return true;
				throw error;
			}
		});
	const walk = (element: XmlElement, path: string, put: (changed: XmlElement) => XmlElement): string[] => {
		const known = (part: string) => reported.some((key) => part === key || part.startsWith(`${key}/`));
		const attributes = [...element.attributes].flatMap(([name, value]) => {
			const part = path === '' ? `@${name}` : `${path}/@${name}`;
			const changed = (another: string) => put(xmlElement(element.name, new Map([...element.attributes, [name, another]]), element.nodes));
			return known(part) || changes(value, changed) ? [] : [part];
		});
		const own = element.children.length === 0 && element.text.trim() !== '' && !known(path);
		const changed = (another: string) => put(xmlElement(element.name, element.attributes, [another]));
		const texts = own && !changes(element.text.trim(), changed) ? [path] : [];
		const inner = element.children.flatMap((child, index) => {
			const same = element.children.filter(({ name }) => name === child.name);
			const step = same.length === 1 ? child.name : `${child.name}[${same.indexOf(child) + 1}]`;
			const replaced = (other: XmlElement) => put(xmlElement(element.name, element.attributes, element.children.with(index, other)));
			return walk(child, path === '' ? step : `${path}/${step}`, replaced);
		});
		return [...attributes, ...texts, ...inner];
	};
	return walk(root, '', (changed) => changed);
};
