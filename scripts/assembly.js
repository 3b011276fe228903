// Compiles src/deflate/assembly to WebAssembly and puts it into a module as text: no file has to be found beside the bundle.
import fs from 'node:fs';
import asc from 'assemblyscript/asc';

let binary;
const { error, stderr } = await asc.main(
	['src/deflate/assembly/index.ts', '-o', 'deflate.wasm', '-O3', '--converge', '--noAssert', '--runtime', 'stub', '--use', 'abort='],
	{
		writeFile: (_name, contents) => {
			binary = contents;
		},
	},
);
if (error) throw new Error(`${error.message}\n${stderr}`);

const text = Buffer.from(binary).toString('base64');
fs.writeFileSync(
	'src/deflate/module.generated.ts',
	`/** What ./assembly compiles to, in base64: written by scripts/assembly.js. */\nexport const MODULE: string =\n\t'${text}';\n`,
);
