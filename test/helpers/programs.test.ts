import { expect, test, vi } from 'vitest';
import { has, requires } from './programs.ts';

test('what tests need is there or said to be missing, and with REQUIRE_ORACLE it has to be there', () => {
	const warn = vi.spyOn(console, 'warn').mockReturnValue();
	vi.stubEnv('REQUIRE_ORACLE', '');
	expect(has('sh')).toBe(true);
	expect(warn).not.toHaveBeenCalled();
	expect([has('no-such-program'), has('no-such-program')]).toEqual([false, false]);
	expect(warn.mock.calls).toEqual([['no-such-program is not installed: what needs it is skipped']]);
	vi.stubEnv('REQUIRE_ORACLE', '1');
	expect(requires(true, 'it is not there')).toBe(true);
	expect(() => requires(false, 'it is not there')).toThrow('REQUIRE_ORACLE is set and it is not there');
	vi.unstubAllEnvs();
	warn.mockRestore();
});
