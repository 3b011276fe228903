/** vconv's portable half: formats, conversion and movers that run in Node, browsers and workers. */
export { diskFormats } from '../formats/index.ts';
export { type ConvertRequest, convertDisk } from './convert/convert.ts';
export { detect } from './convert/detect.ts';
export { flatten, type Layer, type OpenOptions, openChain, openLayer } from './convert/open.ts';
export type * from './core/codec.ts';
export type * from './core/disk.ts';
export type * from './core/format.ts';
export type * from './core/mover.ts';
export type * from './core/note.ts';
export type * from './core/sink.ts';
export type * from './core/source.ts';
export { overlay } from './disk/overlay.ts';
export { readDisk } from './disk/read.ts';
export { pakoCodec } from './engine/pako.ts';
export { portableMover } from './engine/portable.ts';
export * from './errors.ts';
export { memorySink, memorySource, memoryTarget } from './io/memory.ts';
