/** This package's version, as package.json has it: written down here, for who bundles the library has no package.json beside it. */
export const VERSION = '0.1.0';
