import fs from 'node:fs';
import path from 'node:path';
import { corpus } from './corpus.ts';

/** The paths of files in folders of the corpus's `config`, whatever they are called before the ending; none where it is absent. */
export const configFiles = (folders: readonly string[], ending: RegExp): readonly string[] =>
	folders.flatMap((folder) => {
		const inside = path.join(corpus, 'config', folder);
		const names = fs.existsSync(inside) ? fs.readdirSync(inside).sort() : [];
		return names.filter((name) => ending.test(name)).map((name) => path.join(inside, name));
	});

/** The domains in a file: some hold several, one behind the other or in something else. */
export const domainsIn = (file: string): string[] => fs.readFileSync(file, 'utf8').match(/<domain[\s>][\s\S]*?<\/domain>/g) ?? [];

const FOLDERS = ['libvirt-xml-kvm', 'libvirt-xml2vmx', 'virt-manager', 'virt-v2v'];

/** Every libvirt domain of the corpus, with a name. @param more folders that have some too. */
export const corpusDomains = (...more: string[]): readonly (readonly [string, string])[] =>
	configFiles([...FOLDERS, ...more], /\.(xml|xml\.in|libvirt.*)$/).flatMap((file) =>
		domainsIn(file).map((domain, index) => [`${path.basename(file)} ${index + 1}`, domain] as const),
	);
