#!/usr/bin/env node
import module from 'node:module';
import v8 from 'node:v8';

// Node 22.8 and later: from the second start on nothing is compiled.
(module as { enableCompileCache?: () => void }).enableCompileCache?.();
// Our own code runs for a moment between long system calls: V8 would spend more time optimizing it than it takes. The flag is
// Node 20's; later ones have no such one.
if (process.version.startsWith('v20.')) v8.setFlagsFromString('--interrupt-budget=2000000');
const { run } = await import('../src/cli/run.ts');
process.exitCode = await run(process.argv.slice(2));
// Interrupted, it does not wait for whoever does not read what it has written.
if (process.exitCode > 128) setTimeout(() => process.exit(), 1000).unref();
