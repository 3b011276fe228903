import { UnsupportedError } from '../../errors.ts';
import type { Cpu, Memory, Topology } from '../spec.ts';
import type { Context } from './context.ts';

const MIB = 1 << 20;

/** More are not taken by QEMU on either machine type. */
const MAX_CPUS = 4096;
/** Machines beyond these want settings that nobody could have tried here. */
const BIG = { cpus: 255, memory: 2 ** 40 };
const MAX_MEMORY = 2 ** 46;

/** Hardware specification, section 7.3. */
export const planCpu = (c: Context): Cpu => {
	const { count: said = 1, topology, affinity, shares, nested } = c.source.cpu;
	const count = Math.max(1, said);
	if (count > MAX_CPUS) {
		throw new UnsupportedError(`it has ${count} virtual CPUs, over ${MAX_CPUS}`, { path: c.path, field: 'numvcpus' });
	}
	if (count !== said) c.tell('VMX_BAD_NUMBER', 'cpu', `numvcpus is ${said}: one virtual CPU is taken`, { keys: ['numvcpus'] });
	if (count > BIG.cpus) {
		c.tell('BIG_VM', 'cpu', `${count} virtual CPUs want an IOMMU with extended interrupts`, { keys: ['numvcpus'], action: 'none' });
	}
	if (affinity !== undefined) {
		const message = `it is bound to host CPUs ${affinity.slice(0, 8).join(', ')}${affinity.length > 8 ? ', …' : ''}, which another host numbers otherwise`;
		c.tell('CPU_AFFINITY_LOST', 'cpu', message, { keys: ['sched.cpu.affinity'], action: 'dropped' });
	}
	if (nested) {
		c.tell('NESTED_VIRT', 'cpu', 'the guest can run machines itself where the host allows it', { keys: ['vhv.enable'] });
	}
	c.honour('vhv.enable');
	const hidden = c.source.platform.hidesHypervisor ? [{ name: 'hypervisor', policy: 'disable' }] : [];
	return {
		count,
		mode: 'host-model',
		topology: count > 1 ? planTopology(topology?.cores || coresChosen(c), count, c) : undefined,
		shares: planShares(shares, count, c),
		features: [...(nested ? ['vmx', 'svm'].map((name) => ({ name, policy: 'optional' })) : []), ...hidden],
	};
};

/** ESXi 8 says 0 cores a socket where it chooses them at the start, and what it chose last beside it. */
const coresChosen = (c: Context): number => Number(/^\d{1,4}$/.exec(c.extra('cpuid.coresPerSocket.cookie')?.value ?? '')?.[0] ?? 1);

const planTopology = (said: number, count: number, c: Context): Topology => {
	const keys = ['cpuid.coresPerSocket'];
	const fits = said >= 1 && count % said === 0;
	if (!fits) {
		const message = `${said} cores a socket do not make ${count} virtual CPUs: each is a socket of its own`;
		c.tell('CPU_TOPOLOGY_INCONSISTENT', 'cpu', message, { keys });
	}
	const cores = fits ? said : 1;
	const sockets = count / cores;
	// Editions for people use two sockets at most.
	const isClient = c.guest.family === 'windows' && !/srv|net|serv|longhorn/i.test(c.guest.key);
	if (!isClient || sockets <= 2) return { sockets, dies: 1, cores, threads: 1 };
	c.tell('CPU_SOCKETS_MERGED', 'cpu', `Windows uses two of ${sockets} sockets: it gets one of ${count} cores`, { keys });
	return { sockets: 1, dies: 1, cores: count, threads: 1 };
};

/** VMware's normal is 1000 for each virtual CPU, and the kernel's 1024 for a machine, of at most 10,000. */
const planShares = (said: Cpu['shares'], count: number, c: Context): number | undefined => {
	if (said === undefined || said === 'normal') return undefined;
	const level = said === 'low' ? 512 : said === 'high' ? 2048 : Math.round((said / (count * 1000)) * 1024);
	const shares = Math.max(2, Math.min(level, 10_000));
	c.tell('SHARES_SCALED', 'cpu', `shares of '${said}' become a weight of ${shares}, where 1024 is usual`, { keys: ['sched.cpu.shares'] });
	return shares;
};

/** Hardware specification, section 7.4. */
export const planMemory = (c: Context): Memory => {
	const { size: said, limit, reservation = 0 } = c.source.memory;
	const size = said ?? 32 * MIB;
	if (said === undefined)
		c.tell('MEMORY_DEFAULTED', 'memory', 'the VMX says no memory size: 32 MiB are taken', { keys: ['memsize'], action: 'defaulted' });
	if (size > MAX_MEMORY) {
		throw new UnsupportedError(`it has ${size / MIB} MiB of memory, over ${MAX_MEMORY / MIB}`, { path: c.path, field: 'memsize' });
	}
	if (size > BIG.memory)
		c.tell('BIG_VM', 'memory', 'more than 1 TiB of memory wants a host prepared for it', { keys: ['memsize'], action: 'none' });
	if (typeof limit === 'number' && limit >= 0 && limit < size) {
		const message = `the limit of ${limit / MIB} MiB on the host's memory is left out: the guest has all of its ${size / MIB} MiB`;
		c.tell('MEM_LIMIT_LOST', 'memory', message, { keys: ['sched.mem.max'], action: 'dropped' });
	}
	if (reservation > 0) {
		const message = `${reservation / MIB} MiB are not kept free for it`;
		c.tell('MEM_RESERVATION_LOST', 'memory', message, { keys: ['sched.mem.minsize'], action: 'dropped' });
	}
	return { size, current: size };
};
