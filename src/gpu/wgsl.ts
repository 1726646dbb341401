// @ts-expect-error The package has no types; the signature below is its whole interface.
import { wgsl as tag } from "wgsl-preprocessor/wgsl-preprocessor.js";

/** The template tag of every shader: `#if ${…} … #else … #endif` chooses, `${…}` inserts. Imported here only. */
export const wgsl = tag as (strings: TemplateStringsArray, ...values: (string | number | boolean)[]) => string;
