#!/usr/bin/env node
import module from 'node:module';

// Node 22.8 and later: from the second start on nothing is compiled.
(module as { enableCompileCache?: () => void }).enableCompileCache?.();
const { run } = await import('../src/cli/run.ts');
process.exitCode = await run(process.argv.slice(2));
