/** Bytes as hexadecimal digits, two for each, in lower case. */
export const hexDigits = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
