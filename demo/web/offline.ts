/*
 * The page without a network: a service worker that stores the page's files on the first visit and answers from them.
 * Whatever is not of this origin is refused, whichever policy the host sends.
 */

declare const FILES: readonly string[];
declare const VERSION: string;

/** What this file uses of a service worker's scope (the DOM's types do not go together with the worker's). */
interface Scope {
  registration: ServiceWorkerRegistration;
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  addEventListener(type: "install" | "activate", listener: (event: Extendable) => void): void;
  addEventListener(type: "fetch", listener: (event: FetchLike) => void): void;
}
interface Extendable {
  waitUntil(done: Promise<unknown>): void;
}
interface FetchLike {
  request: Request;
  respondWith(response: Promise<Response> | Response): void;
}

// The types of pages, not of service workers, are in place here.
const scope = globalThis as unknown as Scope;
const NAME = `handgrad ${scope.registration.scope} ${VERSION}`;

scope.addEventListener("install", (event) => {
  const store = async () => {
    const cache = await caches.open(NAME);
    await cache.addAll(FILES);
    await scope.skipWaiting();
  };
  event.waitUntil(store());
});

scope.addEventListener("activate", (event) => {
  const clean = async () => {
    const old = (await caches.keys()).filter(
      (name) => name.startsWith(`handgrad ${scope.registration.scope} `) && name !== NAME,
    );
    await Promise.all(old.map((name) => caches.delete(name)));
    await scope.clients.claim();
  };
  event.waitUntil(clean());
});

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== new URL(scope.registration.scope).origin) {
    event.respondWith(Response.error());
    return;
  }
  if (request.method !== "GET") return;
  const answer = async () => {
    const cache = await caches.open(NAME);
    const file = url.pathname.endsWith("/") ? `${url.pathname}index.html` : url.pathname;
    return (await cache.match(file)) ?? fetch(request);
  };
  event.respondWith(answer());
});
