import { execFileSync } from 'node:child_process';

/** Workers and the command line run from dist/: it is built once, before any test. */
export default (): void => {
	if (process.env['VCONV_NO_BUILD']) return;
	execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit', shell: process.platform === 'win32' });
};
