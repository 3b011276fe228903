import type { Options } from 'yargs';
import { UsageError } from '../../errors.ts';
import { writeWhole } from '../../node/write-whole.ts';
import { command } from '../command.ts';
import { plain } from '../render.ts';

/** A plan to start from, in which everything that is not a comment is true. */
export const EXAMPLE_PLAN = `# A plan for vconv batch. Try it with: vconv batch PLAN --dry-run
# Names of files are from the folder of this file. What is finished is not done again: run it as often as you like.
version: 1

# What every job has unless it says otherwise.
defaults:
  to: converted/{name}.qcow2     # {name} is the source's name without extension, {base} with it, {ext} that, {dir} its folder
  # compress: true               # as -c
  # options: { cluster_size: 2M, compression_type: zstd }   # as -o
  # proof: true                  # writes TARGET.vconv.json too, for vconv verify
  # for: azure                   # what is to take it; vconv convert --for help lists them

jobs:
  # Every VMware disk below disks/: a pattern, or a folder, is as many jobs as it finds files.
  - from: disks/**/*.vmdk
    to: converted/{dir}/{name}.qcow2

  # One disk, and another format.
  # - from: disks/legacy.vhd
  #   to: converted/legacy.vhdx
  #   name: the old file server    # what reports call it

  # A snapshot, fully spelled out.
  # - kind: convert
  #   from: disks/db.qcow2
  #   input-format: qcow2          # as -f; by its bytes where left out
  #   snapshot: before-update      # as -l
  #   format: vmdk                 # as -O; by the extension of to where left out
  #   options: { subformat: streamOptimized }
  #   to: converted/db-before-update.vmdk
  #   allow-external: [ base-images ]   # folders that files named by the image may be in
  #   force: false                 # true replaces what is there

  # A whole machine: its description and all its disks.
  # - kind: migrate
  #   from: machines/web/web.vmx
  #   to: migrated/web
  #   target: libvirt

  # What would stand in its way; nothing is written.
  # - kind: validate
  #   from: machines/*/*.vmx
  #   target: libvirt
`;

const options = {
	force: { type: 'boolean', describe: 'replace FILE if it exists' },
} as const satisfies Record<string, Options>;

/** `vconv batch init`: a commented plan. */
export const batchInit = command({
	command: 'vconv batch init',
	operands: '[FILE]',
	about: 'Write a commented example of a plan to FILE, plan.yaml where left out; - is standard output.',
	options,
	examples: [['vconv batch init wave-1.yaml', 'a plan to edit']],
	async run(args, io) {
		const [name = 'plan.yaml', more] = args.operands;
		if (more !== undefined) throw new UsageError(`'${more}' is one too many: vconv batch init takes FILE`);
		if (name === '-') {
			io.stdout.write(EXAMPLE_PLAN);
			return 0;
		}
		if (!/\.ya?ml$/i.test(name)) throw new UsageError('the example is YAML', { path: name, hint: 'a name ending in .yaml' });
		await writeWhole(name, EXAMPLE_PLAN, { force: args.force });
		io.stderr.write(`vconv: ${plain(name)} is a plan; edit it, then: vconv batch ${plain(name)} --dry-run\n`);
		return 0;
	},
});
