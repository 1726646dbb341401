/** What the page may load and reach: its own origin, and nothing else. Markup and scripts come from no text (ui/trusted.ts). */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types default",
].join("; ");

/** What every answer of the server says beside its content, and what other hosts are asked to say (`_headers`). */
export const securityHeaders: Readonly<Record<string, string>> = {
  // A page that frames this one could have its visitors judge without their knowing. A policy in the page cannot say this.
  "Content-Security-Policy": `${contentSecurityPolicy}; frame-ancestors 'none'`,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};
