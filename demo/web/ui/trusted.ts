/*
 * Trusted Types: the page's policy (policy.ts) lets no text become markup, script or the address of a script, except by
 * what is here. It stands before the page's worker begins, since that begins here.
 */

/** What this file uses of Trusted Types, which the DOM's types lack. */
interface PolicyFactory {
  createPolicy(
    name: string,
    rules: {
      createHTML(text: string): string;
      createScript(text: string): string;
      createScriptURL(url: string): string | null;
    },
  ): unknown;
}

const factory = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes;

/** Whoever asks for it in spite of that is told, in the browser's console. */
const refused = (what: string, text: string): void => console.error(`refused as ${what}: ${text.slice(0, 80)}`);

factory?.createPolicy("default", {
  createHTML(text) {
    refused("markup", text);
    return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
  },
  createScript(text) {
    refused("a script", text);
    return "";
  },
  createScriptURL(url) {
    const { origin, protocol } = new URL(url, document.baseURI);
    if (origin === location.origin && protocol === location.protocol) return url;
    refused("a script's address", url);
    return null;
  },
});

/** A worker from a script beside the page's own. */
export const ownWorker = (script: string): Worker => new Worker(new URL(script, import.meta.url), { type: "module" });
