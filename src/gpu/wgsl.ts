/** The template tag of every shader: `#if ${…} … #else … #endif` chooses, `${…}` inserts. Imported here only. */
export { wgsl } from "wgsl-preprocessor/wgsl-preprocessor.js";
